"""Branches, merges and their conflicts on the command line: who knows git guesses right."""

import re

import pytest
from command_line import CommandLine


@pytest.fixture
def forked(repository: CommandLine) -> CommandLine:
    """`across/0.png` is relabelled in two ways, `across/1.png` only on `coats`."""
    repository.ok("switch", "-c", "coats")
    pictures = ["pictures/across/0.png", "pictures/across/1.png"]
    repository.ok("label", *pictures, "down", "--author", "Bob")
    repository.ok("commit", "-m", "Relabel two", "--author", "Bob")
    repository.ok("switch", "main")
    repository.ok("label", "pictures/across/0.png", "odd", "--new")
    repository.ok("commit", "-m", "Relabel one")
    return repository


def plain(text):
    return re.sub(r"[0-9a-f]{10}|\d{4}-\d\d-\d\d \d\d:\d\d", "#", text)


def test_branches_are_listed_with_the_one_that_is_checked_out(forked):
    listed = plain(forked.ok("branch")).splitlines()
    assert listed == ["  coats  # Relabel two 2 edits", "* main   # Relabel one 1 edit"]
    assert [b["branch"] for b in forked.json("branch")] == ["coats", "main"]
    assert forked.ok("branch", "third", "HEAD~1").startswith("branch third at")
    assert forked.ok("branch", "-m", "third", "fourth") == "third is now fourth\n"
    assert forked.ok("branch", "-d", "fourth").startswith("deleted branch fourth")
    error = forked.run("branch", "-d", "coats")
    assert "error: branch `coats` has commits that `main` lacks" in error.stderr


def test_a_merge_tells_what_joined_and_what_waits(forked):
    told = forked.run("merge", "coats")
    assert plain(told.stdout).splitlines() == [
        "merge: # Merge branch coats into main",
        "examples: 1 edited",
        "conflicts: 1 added",
        "1 conflict to settle, ours kept meanwhile",
    ]
    assert "next: sw2 conflicts" in told.stderr
    listed = forked.run("conflicts")
    assert listed.stdout == (
        "examples/pictures/across/0.png/label  across -> odd | down  (Ann | Bob)\n"
    )
    assert "1 conflict to settle" in forked.ok("status")


def test_a_conflict_is_assigned_and_settled(forked):
    forked.ok("merge", "coats")
    id = "examples/pictures/across/0.png/label"
    assert "asked: carol" in forked.ok("conflicts", "--assign", "carol", id)
    assert forked.json("conflicts", "--of", "dave") == []
    told = forked.run("settle", "--theirs", id)
    assert told.stdout == f"settle {id}: theirs\n"
    assert "none left" in told.stderr
    assert forked.ok("undo") == f"undone: settle {id}\n"
    forked.ok("settle", "--value", "down", "--all")
    forked.ok("commit", "-m", "Settled")
    assert (
        forked.json("blame", "pictures/across/0.png", "--column", "label")["cells"][0]["new"]
        == "down"
    )
    assert forked.run("conflicts").stderr == "no conflict is open\n"


def test_a_settlement_needs_one_decision(forked):
    for words in ([], ["--ours", "--value", "down"]):
        error = forked.run("settle", "--all", *words)
        assert (error.exit_code, "one decision is needed" in error.stderr) == (2, True)


def test_the_log_draws_how_branches_part_and_meet(forked):
    forked.ok("merge", "coats", "-X", "theirs")
    lines = [line[:4].rstrip() for line in forked.ok("log", "--graph").splitlines()]
    assert [line.strip("0123456789abcdef ") for line in lines] == [
        "*",
        "|\\",
        "* |",
        "| *",
        "|/",
        "*",
    ]
    first = forked.ok("log", "-1")
    assert "(HEAD -> main)" in first
    assert len(forked.ok("log", "-2").splitlines()) == 2
    assert len(forked.json("log", "main~1..main")) == 2
    assert forked.json("log", "--author", "bob")[0]["message"] == "Relabel two"
    assert forked.json("log", "--since", "yesterday", "--first-parent", "-n", "1")


def test_a_commit_is_reverted_cherry_picked_and_amended(forked):
    assert plain(forked.ok("cherry-pick", "coats")).startswith("cherry-pick: # Relabel two")
    assert forked.json("log", "-1")[0]["author"] == "Bob"
    assert plain(forked.ok("revert", "HEAD")).startswith('revert: # Revert "Relabel two"')
    forked.ok("commit", "--amend", "-m", "Take it back")
    assert forked.json("log", "-1")[0]["message"] == "Take it back"
    assert forked.run("commit").exit_code == 2


def test_staged_edits_are_put_aside_and_taken_back(forked):
    forked.ok("label", "pictures/down/0.png", "across")
    assert forked.ok("stash", "-m", "later") == "put aside: later\n"
    assert forked.run("diff").stderr == "nothing is staged\n"
    assert "later" in forked.ok("stash", "--list")
    assert forked.ok("stash", "--pop") == "staged again\n"
    assert "label: down -> across" in forked.ok("diff")
    assert forked.json("stash", "--list") == []
    assert "nothing is put aside" in forked.run("stash", "--pop").stderr


def test_an_example_is_restored_from_the_last_commit_or_another(forked):
    key = "pictures/across/0.png"
    forked.ok("label", key, "down")
    forked.ok("restore", key)
    assert forked.run("diff").stderr == "nothing is staged\n"
    forked.ok("restore", "--source", "HEAD~1", "--column", "label", key)
    assert f"{key}  label: odd -> across" in forked.ok("diff")
    assert forked.run("restore").exit_code == 2


def test_the_branch_is_reset_and_the_record_leads_back(forked):
    forked.ok("reset", "HEAD~1")
    assert "label: across -> odd" in forked.ok("diff")
    forked.ok("undo")
    assert "reset: to HEAD~1" in forked.ok("reflog").splitlines()[0]
    forked.ok("reset", "--hard", "HEAD@{1}")
    assert forked.json("log", "-1")[0]["message"] == "Relabel one"


def test_tags_name_commits(forked):
    forked.ok("tag", "v1", "coats")
    assert plain(forked.ok("tag")) == "v1  # Relabel two 2 edits\n"
    assert len(forked.json("diff", "main...v1")["edits"]) == 4
    forked.ok("tag", "-d", "v1")
    assert forked.json("tag") == []


def test_a_whole_column_is_blamed(forked):
    forked.ok("merge", "coats", "-X", "theirs")
    by = {row["key"]: row["by"] for row in forked.json("blame", "--column", "label")}
    assert by["pictures/across/0.png"] == "Bob"
    assert by["pictures/across/1.png"] == "Bob"
    lines = forked.ok("blame", "--column", "label").splitlines()
    assert len(lines) == len(by)
    assert forked.run("blame").exit_code == 2


def test_a_diff_may_be_told_in_figures_alone(forked):
    assert forked.ok("diff", "main", "coats", "--stat").splitlines()[-1].endswith("examples edited")
    assert "pictures/across" not in forked.ok("diff", "main", "coats", "--stat")
