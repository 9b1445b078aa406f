"""Figures in a report are those of the books."""

import json

import numpy as np
import pytest

from sw2.binary import Report, measure, wilson
from sw2.binary.records import from_json, to_json
from sw2.errors import Damaged


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662), (0, 0, 0.0, 1.0)],
)
def test_wilson_intervals_equal_published_ones(right, total, low, high):
    # 81 of 263: Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I
    assert wilson(right, total) == pytest.approx((low, high), abs=1e-4)


def test_confusion_precision_recall_and_support():
    confusion, classes = measure(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), ("a", "b", "c"))
    assert confusion == ((1, 1, 0), (0, 2, 0), (0, 0, 0))
    assert (classes[0].precision, classes[0].recall, classes[0].support) == (1.0, 0.5, 2)
    assert (classes[2].precision, classes[2].recall) == (None, None)


def test_a_report_survives_writing_and_reading(parts):
    assert from_json(Report, to_json(parts.report), "report") == parts.report


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [("tested", "many", "report.tested is 'many', not int"), ("labels", [1], r"labels\[0\]")],
)
def test_a_wrong_shape_is_refused_by_place_and_value(parts, key, value, says):
    document = {**json.loads(to_json(parts.report)), key: value}
    with pytest.raises(Damaged, match=says):
        from_json(Report, json.dumps(document).encode(), "report")


def test_a_lacking_key_is_named():
    with pytest.raises(Damaged, match="report lacks `accuracy`"):
        from_json(Report, b"{}", "report")
