"""SQL reads tables at any commit, and nothing else."""

import os
import signal
import subprocess
import sys
import textwrap

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shelves import ANN, DAY

import sw2
from sw2.errors import Damaged, InvalidInput, NotFound
from sw2.query import Reading, query, query_batches
from sw2.repo import Edit, Repository
from sw2.table import Schema

COUNTS = "select label, count(*) as n from examples group by label order by label"


def rows(table):
    return [tuple(row.values()) for row in table.to_pylist()]


def test_a_query_reads_the_working_state(repository):
    repository.edit([Edit("e0", "label", "Bag")], ANN, "not committed")
    assert rows(query(repository, COUNTS)) == [("Bag", 5), ("Coat", 3), ("Shirt", 2)]


def test_a_query_reads_any_commit(repository):
    repository.edit([Edit("e0", "label", "Bag")], ANN, "not committed")
    assert rows(query(repository, COUNTS, "HEAD~1")) == [("Bag", 3), ("Coat", 4), ("Shirt", 3)]
    assert rows(query(repository, COUNTS, "HEAD")) == [("Bag", 4), ("Coat", 4), ("Shirt", 2)]


def test_tables_are_joined(repository):
    found = query(
        repository,
        "select e.id, count(*) from examples e join votes v on v.example = e.id"
        " group by e.id order by all",
    )
    assert rows(found) == [("e1", 1), ("e2", 2)]


def test_a_table_is_joined_with_itself(repository):
    pairs = "select count(*) from examples a join examples b on a.label = b.label and a.id < b.id"
    assert rows(query(repository, pairs, "HEAD~1")) == [(6 + 3 + 3,)]


def test_parameters_are_values_and_not_text(repository):
    asked = "select id from examples where label = ? and confidence > ?"
    assert rows(query(repository, asked, parameters=["Bag", 0.6])) == [("e8",)]
    named = query(repository, "select count(*) from examples where label = $l", None, {"l": "'"})
    assert rows(named) == [(0,)]


def test_cells_keep_their_types(repository):
    found = query(repository, "select * from examples where id = 'e4'")
    assert found.schema.field("at").type == pa.timestamp("ms")
    assert found.schema.field("vector").type == pa.list_(pa.float32())
    row = found.to_pylist()[0]
    assert repository.media(row["image"]).startswith(b"\x89PNG")
    assert (row["label"], row["vector"]) == ("Shirt", [4.0, 0.5])
    assert row["at"].timestamp() * 1000 == pytest.approx(4 * DAY, abs=DAY)


def test_names_that_need_quotes_are_quoted(repository):
    schema = Schema.create('odd "one', "id", {"id": "int"}).add("a b", "string")
    cells = pa.table({"id": [1], "a b": ["x"]})
    repository.stage_rows(cells, ANN, "odd", schema, table='odd "one')
    assert rows(query(repository, 'select "a b" from "odd ""one"')) == [("x",)]


@settings(max_examples=15)
@given(cells=st.lists(st.floats() | st.none(), max_size=8), bound=st.floats())
def test_a_comparison_means_what_it_means_in_duckdb(tmp_path_factory, cells, bound):
    import duckdb

    repository = Repository.init(tmp_path_factory.mktemp("r"))
    schema = Schema.create("t", "id", {"id": "int"}).add("x", "float")
    held = pa.table({"id": range(len(cells)), "x": pa.array(cells, pa.float64())})
    repository.stage_rows(held, ANN, "t", schema, table="t")
    with duckdb.connect() as plain:
        plain.register("given", held)
        plain.execute("create table t as select * from given")
        for sign in ("<", "<=", "=", "<>", ">", ">="):
            asked = f"select id from t where x {sign} ? order by id"
            expected = [row[0] for row in plain.sql(asked, params=[bound]).fetchall()]
            assert query(repository, asked, parameters=[bound])["id"].to_pylist() == expected
    repository.close()


class Reads:
    """Which columns a repository decoded."""

    def __init__(self, repository, monkeypatch):
        self.names = set()
        inner = repository.reader.segment

        def segment(entry, columns, keep=True):
            self.names |= {column.name for column in columns}
            return inner(entry, columns, keep)

        monkeypatch.setattr(repository.reader, "segment", segment)


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        ("select count(*) from examples where confidence > 0.5", {"id", "confidence"}),
        ("select label from examples -- at, image", {"id", "label"}),
        ("select e.label from votes natural join examples e", {"id", "label"}),
        ("select example from votes", {"id", "example"}),
    ],
)  # fmt: skip
def test_only_columns_that_are_needed_are_read(repository, monkeypatch, asked, read):
    reads = Reads(repository, monkeypatch)
    query(repository, asked)
    assert reads.names == read


@pytest.mark.parametrize(
    "asked",
    [
        "select * from examples where id = 'e4'",
        "from examples where id = 'e4'",
        "select unnest(examples) from examples where id = 'e4'",
        "select columns('.*') from examples where id = 'e4'",
        "with e as (table examples) select * from e where id = 'e4'",
    ],
)
def test_whole_rows_are_whole_however_they_are_asked_for(repository, asked):
    assert len(query(repository, asked).to_pylist()[0]) == 6


@pytest.mark.parametrize(
    "asked",
    [
        "copy examples to 'out.csv'",
        "copy (select 1) to 'out.parquet'",
        "select * from read_csv('secret.csv')",
        "select * from read_text('secret.csv')",
        "select * from 'secret.csv'",
        "select * from glob('*')",
        "attach 'out.db'",
        "attach 'out.db' as o; create table o.t as select 1",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "pragma enable_profiling",
        "export database 'out'",
        "create table t as select 1",
        "select getenv('HOME')",
        "select * from secret",
        "select 1; select 2",
        "select * from sniff_csv('secret.csv')",
        "select * from query('copy (select 1) to ''out.csv''')",
        "",
    ],
)
def test_nothing_but_the_tables_can_be_reached(repository, tmp_path, monkeypatch, asked):
    monkeypatch.chdir(tmp_path)
    secret = pa.table({"word": ["sesame"]})
    (tmp_path / "secret.csv").write_text(f"word\n{secret['word'][0]}\n")
    before = set(tmp_path.rglob("*"))
    with pytest.raises(InvalidInput):
        query(repository, asked)
    assert set(tmp_path.rglob("*")) == before


def test_a_wrong_column_is_told_with_those_there_are(repository):
    with pytest.raises(InvalidInput, match="lable") as caught:
        query(repository, "select lable from examples")
    assert "`examples` has id, image, label, confidence, at, vector" in caught.value.hint


def test_a_wrong_table_or_commit_is_told(repository):
    with pytest.raises(InvalidInput, match="vetoes"):
        query(repository, "select * from vetoes")
    with pytest.raises(NotFound):
        query(repository, "select * from votes", "no-such-branch")


def test_a_statement_that_takes_too_much_memory_is_refused(repository):
    cross = "select list(a.id || b.id) from range(100000) a(id), range(100000) b(id)"
    with pytest.raises(InvalidInput, match="Memory"), Reading(repository) as reading:
        reading.query(cross, memory="100MB", threads=1)


def test_a_damaged_segment_is_told_as_such(repository):
    segment = repository.store.get(repository.snapshot().base.segments[1].name)
    for pack in (repository.folder / "packs").rglob("*.pack"):
        raw = pack.read_bytes()
        pack.write_bytes(raw.replace(segment, segment[:20] + b"?" + segment[21:]))
    with pytest.raises(Damaged), sw2.open(repository.root, rev="HEAD") as reading:
        reading.query("select label from examples")


def test_large_answers_come_in_batches(repository):
    batches = query_batches(repository, "select id from examples, range(100000)", "HEAD~1")
    first = next(batches)
    assert first.num_rows < 1_000_000
    assert first.num_rows + sum(batch.num_rows for batch in batches) == 1_000_000


def test_an_empty_answer_still_tells_its_columns(repository):
    batches = list(query_batches(repository, "select id, label from examples where false"))
    assert [batch.schema.names for batch in batches] == [["id", "label"]]


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT to send")
@pytest.mark.parametrize("seconds", [0.5, 2])  # as it begins, and in the midst of it
def test_ctrl_c_stops_a_query(repository, seconds):
    code = """
        import sys, sw2
        sys.stdout.write("ready"); sys.stdout.flush()
        try:
            with sw2.open(sys.argv[1], rev="HEAD") as reading:
                reading.query("select count(*) from range(1000000) a, range(1000000) b"
                              " where a.range * b.range % 7 = 3 and 'votes' <> ''")
        except KeyboardInterrupt:
            sys.exit(7)
    """
    words = [sys.executable, "-c", textwrap.dedent(code), str(repository.root)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout.read(5) == b"ready"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(seconds)
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(60) == 7
        finally:
            process.kill()
