"""The lanes beside a log."""

import pytest

from sw2.cli.graph import drawn

# Parents by commit, and what is drawn.
GRAPHS = {
    "a line": ({"c": "b", "b": "a", "a": ""}, ["*  c", "*  b", "*  a"]),
    "a merge": (
        {"m": "b c", "b": "a", "c": "a", "a": ""},
        ["*  m", "|\\", "* |  b", "| *  c", "|/", "*  a"],
    ),
    "two tips": ({"b": "a", "c": "a", "a": ""}, ["*  b", "| *  c", "|/", "*  a"]),
    "an end beside a line": (
        {"m": "b d", "b": "", "d": "c", "c": ""},
        ["*  m", "|\\", "* |  b", " /", "*  d", "*  c"],
    ),
    "only a part": ({"c": "b x", "b": "a"}, ["*  c", "*  b"]),
    "merged crosswise": (
        {"m": "a b", "n": "b a", "a": "r", "b": "r", "r": ""},
        [
            "*  m",
            "|\\",
            "| | *  n",
            "| | |\\",
            "| | |/",
            "| |/|",
            "|/| |",
            "| |/",
            "* |  a",
            "| *  b",
            "|/",
            "*  r",
        ],
    ),
}


@pytest.mark.parametrize("what", GRAPHS)
def test_branches_part_and_meet(what):
    parents, wanted = GRAPHS[what]
    commits = [(name, tuple(given.split())) for name, given in parents.items()]
    assert list(drawn(commits, list(parents))) == wanted
