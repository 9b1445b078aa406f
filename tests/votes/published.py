"""Worked examples whose figures are published."""

import numpy as np

_ = np.nan

# Cohen 1960, table 1: 200 cases by two clinicians, in hundredths. kappa = .492.
COHEN = np.array([[44, 7, 9], [5, 20, 5], [1, 3, 6]]) * 2

# A table of 19 cases whose printout by SAS gives kappa 0.4842, and 0.4701 with linear weights
# (statsmodels, tests of inter_rater).
SAS = np.array([[0, 4, 1], [0, 8, 0], [0, 1, 5]])

# Fleiss 1971, table 1: diagnoses of 30 patients by 6 psychiatrists each. kappa = .430.
PSYCHIATRISTS = """444444 222555 233335 555555 222444 113333 333355 113334 114444 555555
144444 124444 222333 144444 224445 333335 111455 111112 224444 133555
555555 244444 224555 114444 144445 222224 111155 224444 133333 555555"""
FLEISS = np.array([[row.count(label) for label in "12345"] for row in PSYCHIATRISTS.split()])
# The same for each diagnosis against the others (R's irr, kappam.fleiss with detail).
FLEISS_LABELS = (0.245, 0.245, 0.520, 0.471, 0.566)

# Krippendorff 2011, "Computing Krippendorff's alpha-reliability", sections C and D: four
# observers, twelve units.
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
        [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
    ]
)
ALPHAS = {"nominal": 0.743, "ordinal": 0.815, "interval": 0.849, "ratio": 0.797}

# Dawid & Skene 1979, table 1: 45 patients seen by 5 anaesthetists, the first of them three times.
PATIENTS = """1111111 3334334 1122122 2223121 2223222 2223322 1222111 3333433 2222223
2322223 4444444 2223343 1111111 2223212 1211111 1112111 1111111 1111111 2222221 2221322 2222222
2222221 2223222 2212222 1111111 1111111 2322222 1111111 1111111 1121121 1111111 3333233 1111111
2222222 2223232 4334343 2212232 2323233 3333432 1111111 1111111 1212111 2322222 1211111
2222222"""
ANAESTHETISTS = np.array([[int(label) for label in row] for row in PATIENTS.split()])
