"""Random histories with branches, merges, reverts, stashes, folds and collections, against dicts of
plain rows."""

import tempfile
from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from model_repository import LABELS, a_repository, a_table, rows_of, sound

from sw2.errors import Conflict, InvalidInput, NotFound
from sw2.repo import Edit, Repository, fold, folding, gc, open_conflicts, schemas
from sw2.values import Origin

KEYS = ["a", "b", "c", "d"]
CELLS = {"label": ["cat", "dog", "owl", "elk", "fox", None], "count": [0, 1, 2, None]}
WHO = Origin("anne")


@dataclass(frozen=True)
class Node:
    """A commit of the model. conflicts: ids of those that wait.  labels: of the column `label`."""

    name: str
    parents: tuple
    rows: dict
    conflicts: frozenset
    labels: frozenset


def merged_rows(base, ours, theirs, undecided):
    """Three-way for each cell, as the design says it. Returns rows and ids of conflicts."""
    rows, conflicts = {}, set()
    for key in sorted({*base, *ours, *theirs}):
        old, mine, other = base.get(key), ours.get(key), theirs.get(key)
        row = mine
        if mine == other or other == old:
            row = mine
        elif mine == old:
            row = other
        elif mine is None or other is None:
            conflicts.add(f"examples/{key}")
            row = old if undecided == "base" else mine
        else:
            row = {}
            for name in {*mine, *other}:
                was = (old or {}).get(name)
                one, two = mine.get(name), other.get(name)
                if one not in (two, was) and two != was:
                    conflicts.add(f"examples/{key}/{name}")
                    one = was if undecided == "base" else one
                elif one == was:
                    one = two
                if one is not None:
                    row[name] = one
        if row is not None:
            rows[key] = row
    return rows, conflicts


class Branching(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.folder = tempfile.TemporaryDirectory()
        rows = {key: {"label": "cat", "count": 0} for key in KEYS[:3]}
        repository = self.repository = a_repository(self.folder.name, rows)
        root = Node(repository.head, (), rows, frozenset(), frozenset(LABELS))
        self.nodes = {root.name: root}
        self.branches = {"main": root.name}
        self.branch, self.rows, self.labels, self.number = "main", rows, root.labels, 0
        self.aside = []

    @property
    def head(self):
        return self.nodes[self.branches[self.branch]]

    @property
    def clean(self):
        return (self.rows, self.labels) == (self.head.rows, self.head.labels)

    def landed(self, commit, rows, conflicts, parents, labels):
        node = Node(commit.name, parents, rows, frozenset(conflicts), labels)
        assert commit.parents == parents
        self.nodes[node.name] = node
        self.branches[self.branch] = node.name
        self.rows, self.labels = rows, labels

    # The model of histories

    def ancestors(self, name):
        found, waiting = set(), [name]
        while waiting:
            if (one := waiting.pop()) not in found:
                found.add(one)
                waiting += self.nodes[one].parents
        return found

    def bases(self, one, other):
        common = self.ancestors(one) & self.ancestors(other)
        return [c for c in common if not any(c != d and c in self.ancestors(d) for d in common)]

    def base_rows(self, one, other):
        bases = sorted(self.bases(one, other), key=lambda name: self.order(name))
        rows = self.nodes[bases[0]].rows
        for name in bases[1:]:
            below = self.base_rows(bases[0], name)
            rows, _ = merged_rows(below, rows, self.nodes[name].rows, "base")
        return rows

    def order(self, name):
        return -self.repository.load_commit(name).at, name

    # What people do

    @rule(key=st.sampled_from(KEYS), name=st.sampled_from(list(CELLS)), pick=st.integers(0, 5))
    def edit(self, key, name, pick):
        value = CELLS[name][pick % len(CELLS[name])]
        if key not in self.rows or (name == "label" and value not in {None, *self.labels}):
            return
        row = {n: c for n, c in (self.rows[key] | {name: value}).items() if c is not None}
        action = self.repository.edit([Edit(key, name, value)], WHO, "edit")
        assert (action is None) == (row == self.rows[key])
        self.rows = self.rows | {key: row}

    @rule(label=st.sampled_from(["elk", "fox"]))
    def add_a_label(self, label):
        """Two branches that each add one give it the same number."""
        action = schemas.add_labels(self.repository, "examples", "label", [label])
        assert (action is None) == (label in self.labels)
        self.labels |= {label}

    @rule(key=st.sampled_from(KEYS), pick=st.integers(0, 2))
    def insert(self, key, pick):
        row = {"label": CELLS["label"][pick], "count": pick}
        self.repository.stage_rows(a_table({key: row}), WHO, "insert")
        self.rows = self.rows | {key: row}

    @rule(key=st.sampled_from(KEYS))
    def delete(self, key):
        if key in self.rows:
            self.repository.delete_rows([key], WHO, "delete")
            self.rows = {k: row for k, row in self.rows.items() if k != key}

    @rule(amend=st.sampled_from([False, False, False, True]))
    def commit(self, amend):
        if self.clean and not amend:
            with pytest.raises(InvalidInput, match="nothing to commit"):
                self.repository.commit("nothing", "anne")
            return
        self.number += 1
        parents = self.head.parents if amend else (self.head.name,)
        made = self.repository.commit(f"{self.number}", "anne", amend)
        self.landed(made, self.rows, self.head.conflicts, parents, self.labels)

    @precondition(lambda self: len(self.branches) < 4)
    @rule()
    def fork(self):
        name = f"branch-{len(self.branches)}"
        self.repository.create_branch(name)
        self.branches[name] = self.head.name

    @rule(pick=st.integers(0, 3))
    def switch(self, pick):
        name = sorted(self.branches)[pick % len(self.branches)]
        other = self.nodes[self.branches[name]]
        same = self.repository.load_commit(other.name).tables.get("examples")
        here = self.repository.commit_of("HEAD").tables["examples"]
        if not self.clean and same != here:
            with pytest.raises(Conflict, match="staged"):
                self.repository.switch(name)
            return
        carried = not self.clean
        self.repository.switch(name)
        self.branch = name
        self.rows = self.rows if carried else other.rows
        self.labels = self.labels if carried else other.labels

    @rule(pick=st.integers(0, 3))
    def merge(self, pick):
        name = sorted(self.branches)[pick % len(self.branches)]
        ours, theirs = self.head, self.nodes[self.branches[name]]
        if not self.clean:
            with pytest.raises(InvalidInput, match="staged"):
                self.repository.merge(name, "anne")
            return
        if not self.bases(ours.name, theirs.name):  # the first commit was amended
            with pytest.raises(NotFound, match="no commit in common"):
                self.repository.merge(name, "anne")
            return
        report = self.repository.merge(name, "anne")
        if theirs.name in self.ancestors(ours.name):
            assert report.how == "up to date"
        elif ours.name in self.ancestors(theirs.name):
            assert report.how == "fast-forward"
            self.branches[self.branch] = theirs.name
            self.rows, self.labels = theirs.rows, theirs.labels
        else:
            base = self.base_rows(ours.name, theirs.name)
            rows, conflicts = merged_rows(base, ours.rows, theirs.rows, "ours")
            assert report.conflicts == len(conflicts)
            held = self.merged_conflicts(ours, theirs) | conflicts
            labels = ours.labels | theirs.labels
            self.landed(report.commit, rows, held, (ours.name, theirs.name), labels)

    def merged_conflicts(self, ours, theirs):
        """Nothing here settles a conflict, so what either side had is there."""
        return ours.conflicts | theirs.conflicts

    @rule(pick=st.integers(0, 30))
    def revert(self, pick):
        past = self.ancestors(self.head.name)
        there = [node for name, node in self.nodes.items() if name in past]
        undone = there[pick % len(there)]
        if not self.clean or not undone.parents or undone.conflicts or self.head.conflicts:
            return
        before = self.nodes[undone.parents[0]]
        rows, conflicts = merged_rows(undone.rows, self.head.rows, before.rows, "ours")
        if rows == self.head.rows and not conflicts:
            with pytest.raises(InvalidInput, match="nothing to revert"):
                self.repository.revert(undone.name, "anne")
            return
        report = self.repository.revert(undone.name, "anne")
        assert report.conflicts == len(conflicts)
        self.landed(report.commit, rows, conflicts, (self.head.name,), self.head.labels)

    @rule()
    def put_aside(self):
        if self.clean or self.labels != self.head.labels:
            return
        self.repository.stash("anne")
        self.aside.append((self.head, self.rows))
        self.rows = self.head.rows

    @precondition(lambda self: self.aside)
    @rule()
    def take_back(self):
        if not self.clean:
            return
        head, rows = self.aside[-1]
        rows, conflicts = merged_rows(head.rows, self.head.rows, rows, "ours")
        if conflicts or head.conflicts != self.head.conflicts:
            return
        assert self.repository.unstash("anne").conflicts == 0
        self.aside.pop()
        self.rows = rows

    @rule()
    def fold(self):
        fold(self.repository)

    @rule()
    def collect(self):
        """Nothing that a branch or the reflog leads to goes."""
        gc(self.repository, grace_ms=0)

    @rule()
    def undo_and_redo(self):
        if self.repository.undo() is not None:
            assert self.repository.redo() is not None

    @rule()
    def reopen(self):
        self.repository.close()
        self.repository = Repository.open(self.folder.name)

    # What they see

    @rule(one=st.integers(0, 30), other=st.integers(0, 30))
    def compare_any_two_commits(self, one, other):
        nodes = list(self.nodes.values())  # in the order they were made: names differ each time
        old, new = (nodes[n % len(nodes)] for n in (one, other))
        changes = self.repository.diff(old.name, new.name)
        assert sorted(changes.inserted) == sorted(set(new.rows) - set(old.rows))
        assert sorted(changes.deleted) == sorted(set(old.rows) - set(new.rows))
        assert {(e.key, e.column): (e.old, e.new) for e in changes.edits} == {
            (key, name): (old.rows[key].get(name), new.rows[key].get(name))
            for key in set(old.rows) & set(new.rows)
            for name in CELLS
            if old.rows[key].get(name) != new.rows[key].get(name)
        }

    @rule()
    def blame_tells_of_a_commit_that_set_the_cell(self):
        blamed = self.repository.blame_column("label").to_pylist()
        assert [row["key"] for row in blamed] == sorted(self.head.rows)
        for row in blamed:
            assert row["value"] == self.head.rows[row["key"]].get("label")
            if row["value"] is None:
                continue
            node = self.nodes[row["commit"]]
            assert node.rows[row["key"]].get("label") == row["value"]
            assert row["commit"] in self.ancestors(self.head.name)

    @invariant()
    def it_says_what_the_model_does(self):
        if hasattr(self, "repository"):
            assert self.repository.branch == self.branch
            assert self.repository.head == self.head.name
            assert rows_of(self.repository) == self.rows
            assert set(self.repository.schema().column("label").labels) == self.labels
            assert rows_of(self.repository, "HEAD") == self.head.rows
            held = open_conflicts(self.repository, "HEAD")["id"].to_pylist()
            assert set(held) == self.head.conflicts
            assert self.repository.status().rows == len(self.rows)

    def teardown(self):
        if hasattr(self, "repository"):
            for name in self.nodes:
                assert rows_of(self.repository, name) == self.nodes[name].rows
            assert sound(self.repository)
            self.repository.close()
            self.folder.cleanup()


@pytest.fixture(autouse=True)
def short_runs(monkeypatch):
    monkeypatch.setattr(folding, "RUN", 3)


def test_branches_merge_as_the_model_does():
    run_state_machine_as_test(
        Branching, settings=settings(max_examples=15, stateful_step_count=40, deadline=None)
    )


@pytest.mark.slow
def test_many_branches_merge_as_the_model_does():
    run_state_machine_as_test(
        Branching, settings=settings(max_examples=300, stateful_step_count=60, deadline=None)
    )
