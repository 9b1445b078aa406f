"""Reading some columns of a version says what reading all of it says, after any history: with
columns renamed, retyped, dropped and added, rows deleted and inserted again, and folds between."""

import tempfile

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_repository import ANNE, BOB, LABELS, a_repository, rows_of

from sw2.errors import Damaged
from sw2.repo import Edit, Repository, folding
from sw2.repo.folding import fold
from sw2.table import Column, Delta, compose, make_delta, parse_decided
from sw2.table import segment as segments
from sw2.table.chain import no_folds
from sw2.table.convert import CONVERTS

KEYS = [f"{n:02}" for n in range(6)]
VALUES = {
    "int": st.integers(0, 3),
    "float": st.sampled_from([0.0, 1.5]),
    "string": st.sampled_from(["1", "x", "true"]),
    "bool": st.booleans(),
    "category": st.sampled_from(LABELS),
}


@pytest.fixture
def small(monkeypatch):
    """Runs of three deltas, segments of two rows; whether a base follows is drawn by each test."""
    monkeypatch.setattr(folding, "RUN", 3)
    monkeypatch.setattr(folding, "HEAVY", 1 << 40)
    monkeypatch.setattr(segments, "ROWS", 2)


def edited(draw, repository, schema):
    present = sorted(rows_of(repository))
    edits = []
    for key in draw(st.lists(st.sampled_from(present), unique=True, max_size=3)) if present else ():
        column = schema.column(draw(st.sampled_from([n for n in schema.names if n != schema.key])))
        if column.type in VALUES:
            edits.append(Edit(key, column.name, draw(st.none() | VALUES[column.type])))
    repository.edit(edits, draw(st.sampled_from([ANNE, BOB])), "edit")


def other_schema(draw, repository, schema):
    names = [name for name in schema.names if name != schema.key]
    what, name = draw(st.sampled_from(["rename", "drop", "add", "retype"])), names[-1]
    if what == "rename" and f"{name}_" not in names and len(name) < 9:
        repository.define(schema.rename(name, f"{name}_"), "rename")
    elif what == "drop" and len(names) > 2:
        repository.define(schema.drop(name), "drop")
    elif what == "add" and f"new{len(names)}" not in names:
        repository.define(schema.add(f"new{len(names)}", "int"), "add")
    elif what == "retype":
        old = schema.column(name).type
        kinds = [k for k in CONVERTS[old] if k in ("string", "float", "int") and k != old]
        if kinds:
            repository.define(schema.retype(name, draw(st.sampled_from(kinds))), "retype")


def one_commit(draw, repository):
    what = draw(st.sampled_from(["edit"] * 4 + ["delete", "insert", "schema"]))
    schema, present = repository.schema(), sorted(rows_of(repository))
    if what == "edit":
        edited(draw, repository, schema)
    elif what == "delete" and present:
        repository.delete_rows([draw(st.sampled_from(present))], ANNE, "delete")
    elif what == "insert":
        new = draw(st.sampled_from(KEYS))
        rows = pa.table({schema.key: [new]})
        repository.stage_rows(rows, BOB, "insert")
    elif what == "schema":
        other_schema(draw, repository, schema)
    if repository.state.actions():
        repository.commit(what, "anne")


def a_history(data, folder):
    """A folded repository, and how heavy its notes take a base to be."""
    repository = a_repository(folder, {key: {"label": "cat", "count": 1} for key in KEYS[:3]})
    for _ in range(data.draw(st.integers(1, 8))):
        one_commit(data.draw, repository)
        if data.draw(st.integers(0, 3)) == 0:
            fold(repository)
    return repository


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("weight", [1, 1 << 60], ids=["bases", "runs"])
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_some_columns_of_a_version_say_what_all_of_it_says(weight, data):
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(folding, "_weight", lambda repository, base: weight)
        a_history(data, folder).close()
        plain, notes = Repository.open(folder), Repository.open(folder)
        plain.reader.folds = no_folds
        names = [commit.name for commit in plain.log()]
        for name in data.draw(st.permutations(names)):
            whole, snapshot = plain.read(rev=name), notes.snapshot(name)
            some = data.draw(st.lists(st.sampled_from(whole.column_names), unique=True))
            keys = whole[snapshot.schema.key].to_pylist()
            assert snapshot.read(some).to_pydict() == whole.select(some).to_pydict()
            scanned = [row for batch in snapshot.scan(some, batch_rows=2) for row in
                       batch.to_pylist()]  # fmt: skip
            assert scanned == (whole.select(some).to_pylist() if some else [])
            found, cells = snapshot.lookup([*keys, "?"], some)
            assert found.tolist() == [True] * len(keys) + [False]
            for each in map(snapshot.schema.column, some):
                assert each.decode(cells[each.id]).to_pylist()[:-1] == whole[each.name].to_pylist()
            assert snapshot.rows == len(keys)


@pytest.mark.usefixtures("small")
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_blame_says_what_the_history_of_each_cell_says(data):
    with tempfile.TemporaryDirectory() as folder:
        repository = a_history(data, folder)
        name = data.draw(st.sampled_from([n for n in repository.schema().names if n != "id"]))
        told = repository.blame_column(name).to_pylist()
        assert [row["key"] for row in told] == sorted(rows_of(repository))
        for row in told:
            past = repository.history(row["key"], name)
            if past and past[0].new is not None:
                assert (row["value"], row["by"], row["at"], row["commit"]) == (
                    past[0].new, past[0].origin.by, past[0].at, past[0].commit)  # fmt: skip


def test_a_run_that_is_lost_after_a_version_was_found_is_read_from_the_chain(small, tmp_path):
    repository = a_repository(tmp_path, {key: {"label": "cat"} for key in KEYS})
    for number in range(7):
        repository.edit([Edit("01", "count", number), Edit("02", "label", "dog")], ANNE, "edit")
        repository.edit([Edit("02", "label", "cat")], ANNE, "edit")
        repository.commit("edit", "anne")
    fold(repository)
    cold = Repository.open(tmp_path)
    expected, snapshot = cold.read(["count", "label"]), cold.snapshot("HEAD")
    runs = {note.delta for note in cold.state.folds.all().values()}
    whole = cold.reader.delta

    def delta(name, *only):
        if name in runs:
            raise Damaged("lost")
        return whole(name, *only)

    cold.reader = snapshot.reader
    snapshot.reader.delta = delta
    snapshot.reader._layers = {}
    assert runs
    assert snapshot.read(["count", "label"]).equals(expected)


def test_what_a_version_has_in_common_with_another_is_read_once(small, tmp_path):
    repository = a_repository(tmp_path, {key: {"label": "cat"} for key in KEYS})
    for number in range(8):
        repository.edit([Edit("01", "count", number)], ANNE, "edit")
        repository.commit("edit", "anne")
    fold(repository)
    cold, asked = Repository.open(tmp_path), []
    cold.snapshot("HEAD").read(["count"])
    whole = cold.reader.delta
    cold.reader.delta = lambda name, *only: asked.append(name) or whole(name, *only)
    assert cold.snapshot("HEAD~1").read(["count"])["count"].to_pylist()[1] == 6
    assert not set(asked) & {note.delta for note in cold.state.folds.all().values()}


COLUMN = Column("c", "count", "int")


def a_delta(keys, ops, touched, origins, times):
    count = len(keys)
    cells = {
        "c": (pa.nulls(count, pa.int64()), pa.array(range(count)), pa.array(touched, pa.bool_()))
    }
    parts = [
        make_delta(keys[at : at + 1], np.array(ops[at : at + 1], np.int8),
                   {"c": tuple(v[at : at + 1] for v in cells["c"])}, origins[at], times[at])
        for at in range(count)
    ]  # fmt: skip
    return compose(parts)


@given(data=st.data())
def test_who_decided_a_column_is_what_the_whole_delta_says(data):
    count = data.draw(st.integers(1, 8))
    kinds = [pa.array([f"k{n}" for n in range(count)]), pa.array(range(0, 5 * count, 5))]
    lists = [st.lists(each, min_size=count, max_size=count) for each in
             (st.sampled_from([0, 1, 2]), st.booleans(), st.sampled_from([ANNE, BOB]),
              st.integers(0, 1 << 40))]  # fmt: skip
    delta = a_delta(data.draw(st.sampled_from(kinds)), *map(data.draw, lists))
    if delta is None:
        return
    found = parse_decided(delta.encode(), COLUMN, a_schema_of(COLUMN))
    rows = delta.table.to_pylist()
    by, at = (values.to_pylist() for values in delta.decided("c")) if delta.columns else ([], [])
    assert list(zip(found.keys.to_pylist(), found.by.tolist(), found.at.tolist(), strict=True)) == [
        (row["key"], by[n], at[n]) for n, row in enumerate(rows)
        if row.get("c.set") and row["op"] != 2
    ]  # fmt: skip
    assert found.origins == delta.origins


def a_schema_of(column):
    from sw2.table import Schema

    return Schema("t", "id", (Column("id", "id", "int"), column))


@given(data=st.data())
def test_bytes_that_are_no_delta_are_damaged_for_blame_too(data):
    delta = a_delta(pa.array([1, 5, 9]), [0, 1, 2], [True] * 3, [ANNE, BOB, ANNE], [3, 4, 5])
    raw = bytearray(delta.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = parse_decided(bytes(raw), COLUMN, a_schema_of(COLUMN))
        assert len(found.keys) == len(found.by) == len(found.at)
        assert all(0 <= number < len(found.origins) for number in found.by)
    except Damaged:
        pass


def test_a_delta_of_a_format_to_come_is_refused_by_blame():
    delta = a_delta(pa.array([1]), [0], [True], [ANNE], [3])
    raw = delta.encode().replace(b'"format":2', b'"format":3')
    with pytest.raises(Damaged, match="format 3"):
        parse_decided(raw, COLUMN, a_schema_of(COLUMN))
    with pytest.raises(Damaged, match="format 3"):
        Delta.parse(raw)
