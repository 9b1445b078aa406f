"""vote, votes, agreement, consensus."""

import pytest


def label(cli, example):
    cells = cli.json("blame", f"pictures/{example}.png")["cells"]
    return next((cell["new"] for cell in cells if cell["column"] == "label"), None)


def vote(cli, example, value, who, *words):
    return cli.ok("vote", f"pictures/{example}.png", value, "--as", who, *words)


@pytest.fixture
def voted(repository):
    """Three annotators, of whom Eve errs; across/2 is open."""
    for example, said in {
        "across/0": ("across", "across", "down"),
        "across/1": ("across", "across", "across"),
        "across/2": ("across", "down", None),
        "down/0": ("down", "down", "across"),
        "down/1": ("down", "down", None),
    }.items():
        for who, value in zip(("Ann", "Bob", "Eve"), said, strict=True):
            if value:
                vote(repository, example, value, who)
    return repository


def test_a_vote_is_told_and_kept_beside_the_label(repository):
    assert vote(repository, "across/0", "down", "Bob") == (
        "vote down: pictures/across/0.png (Bob)\n"
    )
    assert label(repository, "across/0") == "across"
    found = repository.json("vote", "pictures/across/0.png", "down", "--as", "Bob")
    assert (found["changed"], found["annotator"], found["decisions"]) == (False, "Bob", [])
    assert repository.ok("vote", "pictures/across/0.png", "down", "--as", "Bob") == "unchanged\n"


def test_votes_are_of_the_author_unless_somebody_else_is_named(repository):
    found = repository.json("vote", "pictures/across/0.png", "pictures/down/0.png", "down")
    assert found["annotator"] == "Ann <ann@example.org>"
    assert found["ids"] == ["pictures/across/0.png", "pictures/down/0.png"]
    assert repository.ok("undo") == "undone: vote down: 2 examples\n"
    assert repository.json("votes")["kind"] == "not-found"


def test_with_a_rule_the_label_follows_and_one_undo_takes_both_back(repository):
    repository.ok("consensus", "--rule", "majority")
    told = vote(repository, "across/0", "down", "Bob", "--confidence", "0.8")
    assert "pictures/across/0.png  label: across -> down  (100.0 %)" in told
    assert vote(repository, "across/0", "across", "Eve").endswith("down -> (open)  (50.0 %)\n")
    repository.ok("undo")
    assert label(repository, "across/0") == "down"
    repository.ok("undo")
    assert label(repository, "across/0") == "across"


def test_a_vote_is_withdrawn(repository):
    repository.ok("consensus", "--rule", "majority")
    vote(repository, "across/0", "down", "Bob")
    told = repository.ok("vote", "pictures/across/0.png", "--withdraw", "--as", "Bob")
    assert told.startswith("withdrawn: pictures/across/0.png (Bob)\n")
    assert repository.ok("votes") == "0 votes\n"


def test_the_rule_is_told_set_and_taken_away(voted):
    assert voted.ok("consensus") == "label: votes do not decide it\n"
    told = voted.ok("consensus", "--rule", "majority")
    assert told == ("label: majority\npictures/across/2.png  label: across -> (open)  (50.0 %)\n")
    assert voted.json("consensus")["rule"] == "majority"
    found = voted.json("consensus", "--rule", "dawid-skene")
    assert (found["rule"], found["changed"]) == ("dawid-skene", True)
    assert voted.json("consensus", "--rule", "none")["rule"] is None
    assert voted.json("consensus", "--rule", "none")["changed"] is False
    voted.ok("commit", "-m", "Votes")
    assert voted.run("fsck").exit_code == 0


def test_votes_are_listed(voted):
    rows = voted.json("votes", "pictures/across/0.png")["votes"]
    assert [(row["annotator"], row["label"]) for row in rows] == [
        ("Ann", "across"),
        ("Bob", "across"),
        ("Eve", "down"),
    ]
    assert all(isinstance(row["at"], int) for row in rows)
    text = voted.ok("votes")
    assert text.startswith("pictures/across/0.png  across  (Ann, 20")
    assert text.endswith("13 votes\n")


def test_what_needs_another_vote_comes_first(voted):
    found = voted.json("votes", "--needing", "--limit", "2")["examples"]
    assert len(found) == 2
    assert found[0]["example"] == "pictures/across/2.png"
    assert found[0]["probability"] <= found[1]["probability"] < 1
    assert "pictures/across/2.png" in voted.ok("votes", "--needing").splitlines()[0]
    assert voted.run("votes", "pictures/across/0.png", "--needing").exit_code == 2


def test_agreement_is_told_with_its_interval(voted):
    text = voted.ok("agreement", "--by", "label", "--pairs")
    assert text.startswith("label: 13 votes by 3 annotators on 5 examples\n")
    assert "Krippendorff's alpha (nominal)" in text
    assert "Fleiss" not in text
    assert "Ann / Bob" in text
    found = voted.json("agreement", "--by", "annotator", "--pairs")
    alpha = found["agreement"]["alpha"]
    assert alpha["low"] <= alpha["value"] <= alpha["high"]
    shares = {one["annotator"]: one["agreement"] for one in found["annotators"]}
    assert shares == {"Ann": 1.0, "Bob": 1.0, "Eve": pytest.approx(1 / 3)}
    text = voted.ok("agreement", "--by", "annotator")
    assert "1  down where the consensus is across" in text


def test_complete_votes_have_fleiss_kappa(repository):
    for example in ("across/0", "down/0"):
        for who in ("Ann", "Bob"):
            vote(repository, example, example.split("/")[0], who)
    assert "Fleiss' kappa                     1.000" in repository.ok("agreement")


def test_what_is_missing_is_told(repository):
    vote(repository, "across/0", "across", "Ann")
    assert "needs units with two votes or more" in repository.ok("agreement")


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["vote", "pictures/across/0.png", "diagonal"], "invalid-input"),
        (["vote", "pictures/across/9.png", "across"], "not-found"),
        (["vote", "pictures/across/0.png", "across", "--confidence", "7"], "invalid-input"),
        (["vote", "across"], "invalid-input"),
        (["vote", "pictures/across/0.png", "--withdraw"], "not-found"),
        (["vote", "pictures/across/0.png", "perhaps", "--column", "reviewed"], "invalid-input"),
        (["votes"], "not-found"),
        (["agreement"], "not-found"),
        (["consensus", "--rule", "loudest"], "invalid-input"),
        (["consensus", "--column", "colour"], "not-found"),
    ],
)
def test_what_cannot_be_done_is_told_and_changes_nothing(repository, words, kind):
    assert repository.json(*words)["kind"] == kind
    assert repository.json("status")["clean"]


def test_other_columns_are_voted_on(repository):
    for who in ("Ann", "Bob"):
        vote(repository, "across/0", "yes", who, "--column", "reviewed")
    assert repository.json("votes", "--column", "reviewed")["votes"][0]["reviewed"] is True
