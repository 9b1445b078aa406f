"""Random histories against a plain model, through two views of one repository at once."""

import tempfile
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from model_repository import LABELS, NAMES, a_schema, a_table, rows_of, sound

from sw2.errors import InvalidInput
from sw2.repo import Edit, Repository
from sw2.values import Origin

KEYS = st.sampled_from(["", "a", "b/1", "b/2", "ä", "猫"])
PEOPLE = st.sampled_from([Origin("anne"), Origin("bob"), Origin("cnn", "program", "cnn@1")])


@dataclass
class Step:
    """What one action did. kind: rows, edit, label or base (rows into an empty table)."""

    kind: str
    label: str
    origin: Origin
    before: dict
    after: dict
    labels: tuple


@dataclass
class Committed:
    name: str
    rows: dict
    steps: list = field(default_factory=list)


class Histories(RuleBasedStateMachine):
    commits = Bundle("commits")

    @initialize()
    def begin(self):
        self.folder = tempfile.TemporaryDirectory()
        Repository.init(self.folder.name).close()
        self.views = [Repository.open(self.folder.name) for _ in "12"]
        self.log, self.steps, self.undone, self.number = [], [], [], 0
        self.has_schema = False

    # The model

    @property
    def rows(self):
        if self.steps:
            return self.steps[-1].after
        return self.log[-1].rows if self.log else {}

    @property
    def labels(self):
        steps = [step for commit in self.log for step in commit.steps] + self.steps
        return steps[-1].labels if steps else LABELS

    @property
    def has_base(self):
        steps = [step for commit in self.log for step in commit.steps] + self.steps
        return any(step.kind == "base" for step in steps)

    def name(self):
        self.number += 1
        return f"action {self.number}"

    def done(self, action, step):
        """The model of an action that should have been staged, or that changed nothing."""
        changed = step.kind == "label" or step.before != step.after or self.schema_is_new(step)
        assert (action is None) == (not changed)
        if changed:
            assert action.label == step.label
            self.steps.append(step)
            self.undone.clear()

    def schema_is_new(self, step):
        return step.kind == "base" or (step.kind == "rows" and not self.rows and not self.steps)

    # What people do

    @rule(view=st.integers(0, 1), who=PEOPLE, data=st.data())
    def stage_rows(self, view, who, data):
        names = data.draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1))
        row = st.fixed_dictionaries({name: self.cells(name) for name in names})
        rows = data.draw(st.dictionaries(KEYS, row, min_size=1, max_size=4))
        before = self.rows
        after = {key: dict(cells) for key, cells in before.items()}
        for key, cells in rows.items():
            after[key] = {n: c for n, c in (after.get(key, {}) | cells).items() if c is not None}
        kind = "rows" if self.has_base else "base"
        schema = None if self.has_base else a_schema(self.labels)
        step = Step(kind, self.name(), who, before, after, self.labels)
        self.done(self.views[view].stage_rows(a_table(rows), who, step.label, schema), step)

    @precondition(lambda self: self.rows)
    @rule(view=st.integers(0, 1), who=PEOPLE, data=st.data())
    def edit(self, view, who, data):
        edits = data.draw(st.lists(self.edits(), min_size=1, max_size=5))
        before = self.rows
        after = {key: dict(cells) for key, cells in before.items()}
        for edit in edits:
            after[edit.key].pop(edit.column, None)
            if edit.value is not None:
                after[edit.key][edit.column] = edit.value
        step = Step("edit", self.name(), who, before, after, self.labels)
        self.done(self.views[view].edit(edits, who, step.label), step)

    @precondition(lambda self: self.rows)
    @rule(view=st.integers(0, 1))
    def define(self, view):
        step = Step("label", self.name(), Origin("x"), self.rows, self.rows, self.labels)
        step.labels = (*self.labels, f"label {self.number}")
        schema = self.views[view].schema().with_labels("label", step.labels)
        self.done(self.views[view].define(schema, step.label), step)

    @rule(view=st.integers(0, 1))
    def undo(self, view):
        action = self.views[view].undo()
        assert (action.label if action else None) == (self.steps[-1].label if self.steps else None)
        if self.steps:
            self.undone.append(self.steps.pop())

    @rule(view=st.integers(0, 1))
    def redo(self, view):
        action = self.views[view].redo()
        expected = self.undone[-1].label if self.undone else None
        assert (action.label if action else None) == expected
        if self.undone:
            self.steps.append(self.undone.pop())

    @rule(view=st.integers(0, 1), target=commits)
    def commit(self, view):
        head = self.log[-1].rows if self.log else {}
        kinds = {step.kind for step in self.steps}
        if head == self.rows and not kinds & {"label", "base"}:
            with pytest.raises(InvalidInput, match="nothing to commit"):
                self.views[view].commit("again", "anne")
            return len(self.log) - 1
        commit = self.views[view].commit(f"commit {len(self.log)}", "anne")
        self.log.append(Committed(commit.name, self.rows, self.steps))
        self.steps, self.undone = [], []
        return len(self.log) - 1

    @rule(view=st.integers(0, 1))
    def reopen(self, view):
        self.views[view].close()
        self.views[view] = Repository.open(self.folder.name)

    # What they see

    @precondition(lambda self: self.log)
    @rule(view=st.integers(0, 1), place=commits, how=st.sampled_from(["name", "short", "steps"]))
    def read_an_old_commit(self, view, place, how):
        if place < 0:
            return
        commit = self.log[place]
        back = len(self.log) - 1 - place
        rev = {"name": commit.name, "short": commit.name[:12], "steps": f"HEAD~{back}"}[how]
        assert rows_of(self.views[view], rev) == commit.rows

    @precondition(lambda self: self.log)
    @rule(view=st.integers(0, 1), old=commits, new=commits)
    def compare_two_commits(self, view, old, new):
        if min(old, new) < 0:
            return
        before, after = self.log[old], self.log[new]
        self.check(self.views[view].diff(before.name, after.name), before.rows, after.rows)

    @precondition(lambda self: self.log)
    @rule(view=st.integers(0, 1))
    def look_at_what_is_staged(self, view):
        self.check(self.views[view].pending(), self.log[-1].rows, self.rows)

    def check(self, changes, before, after):
        assert sorted(changes.inserted) == sorted(set(after) - set(before))
        assert sorted(changes.deleted) == sorted(set(before) - set(after))
        edits = {(e.key, e.column): (e.old, e.new) for e in changes.edits}
        assert len(edits) == len(changes.edits)
        assert edits == {
            (key, name): (before[key].get(name), after[key].get(name))
            for key in set(before) & set(after)
            for name in NAMES
            if before[key].get(name) != after[key].get(name)
        }

    @precondition(lambda self: self.rows)
    @rule(view=st.integers(0, 1), key=KEYS, column=st.sampled_from(NAMES))
    def look_into_the_past_of_a_cell(self, view, key, column):
        def cell(rows):
            return rows.get(key, {}).get(column)

        def change(steps, commit):
            old, new = cell(steps[0].before), cell(steps[-1].after)
            if old == new:
                return []
            who = [step.origin for step in steps if cell(step.before) != cell(step.after)][-1]
            return [(old, new, who, commit)]

        expected = []
        for commit in self.log:
            first = commit.steps[:1] if commit.steps[0].kind == "base" else []
            for steps in (first, commit.steps[len(first) :]):
                expected += change(steps, commit.name) if steps else []
        for step in self.steps:
            expected += change([step], None)
        told = self.views[view].history(key, column)
        assert [(c.old, c.new, c.origin, c.commit) for c in told] == expected[::-1]
        assert all((c.key, c.column) == (key, column) for c in told)

    @invariant()
    def both_views_say_what_the_model_does(self):
        for view in getattr(self, "views", []):
            if view.tables() and view.staged().schema.columns:
                assert rows_of(view) == self.rows
                assert view.schema().column("label").labels == self.labels
                assert view.status().rows == len(self.rows)
            else:
                assert not self.rows
            assert [commit.name for commit in view.log()] == [c.name for c in self.log[::-1]]

    def teardown(self):
        if hasattr(self, "views"):
            assert sound(self.views[0])
            for view in self.views:
                view.close()
            self.folder.cleanup()

    # Cells

    def cells(self, name):
        return (
            st.none()
            | {
                "label": st.sampled_from(self.labels),
                "split": st.sampled_from(["", "train", "test"]),
                "score": st.sampled_from([0.0, 0.25, 1e300]),
                "count": st.integers(-2, 2) | st.just(2**63 - 1),
            }[name]
        )

    def edits(self):
        return st.sampled_from(NAMES).flatmap(
            lambda name: st.builds(
                Edit, st.sampled_from(sorted(self.rows)), st.just(name), self.cells(name)
            )
        )


def test_random_histories_do_what_the_model_does():
    run_state_machine_as_test(
        Histories, settings=settings(max_examples=15, stateful_step_count=25, deadline=None)
    )


@pytest.mark.slow
def test_many_random_histories_do_what_the_model_does():
    run_state_machine_as_test(
        Histories, settings=settings(max_examples=250, stateful_step_count=40, deadline=None)
    )
