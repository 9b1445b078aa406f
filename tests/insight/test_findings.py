"""Findings of a repository: what is wrong, where, and whether somebody has dealt with it."""

import numpy as np
import pytest
from tiny_builds import LABELS, a_repository, some_rows

from sw2.build import build
from sw2.insight import compare, findings, labels_now, paired_interval
from sw2.repo import Edit
from sw2.values import Origin

WRONG = ("0004.png", "0031.png", "0077.png")


@pytest.fixture(scope="module")
def flawed(tmp_path_factory):
    """Three wrong labels, a duplicate, a leak, a contradiction and a broken picture; built."""
    rows, media = some_rows(train=40, test=8)
    given = rows.given.copy()
    for key in WRONG:
        given[rows.keys.index(key)] = (given[rows.keys.index(key)] + 1) % 3
    rows.given[:] = given
    media["0013.png"] = media["0010.png"]  # the same class
    media["0121.png"] = media["0016.png"]  # 0121 is a test example
    media["0021.png"] = media["0020.png"]  # another class
    media["0040.png"] = b"scrap"
    folder = tmp_path_factory.mktemp("flawed") / "bars"
    spec = "[build]\nepochs = 12\nseed = 1\n"
    repository = a_repository(folder, rows, media, spec)
    return repository, build(repository)


def by_code(found):
    codes = {}
    for finding in found:
        codes.setdefault(finding.code, {})[finding.key] = finding
    return codes


def test_every_planted_fault_is_found(flawed):
    codes = by_code(findings(*flawed))
    assert set(WRONG) <= codes["W101"].keys()
    assert codes["W201"].keys() == {"0013.png"}
    assert codes["W202"].keys() == {"0121.png"}
    assert codes["W203"].keys() == {"0020.png", "0021.png"}
    assert codes["E301"].keys() == {"0040.png"}


def test_a_wrong_label_says_what_it_is_and_what_it_seems(flawed):
    found = by_code(findings(*flawed))["W101"][WRONG[0]]
    true = LABELS[int(WRONG[0][:4]) % 3]
    assert (found.proposed, found.column, found.resolved) == (true, "label", False)
    assert f"labelled `{found.given}`, looks like `{true}`" in found.message
    assert 0 < found.probability <= 1


def test_the_most_suspect_come_first(flawed):
    scores = [finding.score for finding in findings(*flawed)]
    assert scores == sorted(scores, reverse=True)


def test_relabelling_and_reviewing_resolve_and_undo_opens_again(flawed):
    repository, built = flawed
    proposed = by_code(findings(repository, built))["W101"][WRONG[0]].proposed
    me = Origin("me")
    repository.edit([Edit(WRONG[0], "label", proposed)], me, "accept")
    repository.edit([Edit(WRONG[1], "reviewed", True)], me, "keep")
    now = by_code(findings(repository, built))["W101"]
    assert [now[key].resolved for key in WRONG] == [True, True, False]
    repository.undo()
    repository.undo()
    before = by_code(findings(repository, built))["W101"]
    assert not any(before[key].resolved for key in WRONG)


def test_data_can_be_checked_without_a_build(flawed):
    repository, _ = flawed
    assert {finding.code for finding in findings(repository, None)} == {"W201", "W202", "W203"}


def test_a_rare_class_is_found(tmp_path):
    rows, media = some_rows(train=20, test=2)
    rows.given[3:60:3] = 1
    codes = by_code(findings(a_repository(tmp_path / "r", rows, media), None))
    assert "`across` has 1 training examples" in next(iter(codes["W401"].values())).message


def test_two_builds_are_compared_on_the_labels_of_today(flawed):
    repository, before = flawed
    repository.edit([Edit(WRONG[2], "label", LABELS[int(WRONG[2][:4]) % 3])], Origin("me"), "fix")
    repository.commit("one less", "me")
    after = build(repository)
    found = compare(before, after, labels_now(repository))
    assert (found.before, found.after, found.tested) == (before.id, after.id, 24)
    gained = len(found.better) - len(found.worse)
    assert found.after_accuracy - found.before_accuracy == pytest.approx(gained / 24)
    assert found.difference_interval[0] <= found.difference <= found.difference_interval[1]
    assert found.after_accuracy == after.report().accuracy


def test_the_paired_interval_covers_as_often_as_it_says():
    """10,000 draws of 200 paired examples, 8 % gained and 4 % lost: 95 % of intervals hold 0.04."""
    rng = np.random.default_rng(0)
    draws = rng.multinomial(200, [0.08, 0.04, 0.88], size=10_000)
    held = [low <= 0.04 <= high for b, c, _ in draws for low, high in [paired_interval(b, c, 200)]]
    assert np.mean(held) == pytest.approx(0.95, abs=0.01)
