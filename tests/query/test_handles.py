"""A handle says what to read; reading gives what the table says at that commit."""

import builtins
import re
import subprocess
import sys

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shelves import ANN, LABELS, a_schema, examples

import sw2
from sw2.errors import InvalidInput, MissingExtra, NotFound
from sw2.query import Reading, table
from sw2.repo import Edit, Repository


@pytest.fixture
def reading(repository):
    with sw2.open(repository.root, rev="HEAD~1") as opened:
        yield opened


def ids(handle):
    return handle.select("id").arrow()["id"].to_pylist()


def test_open_gives_the_repository_or_a_reading_of_one_commit(repository):
    with sw2.open(repository.root, rev="HEAD") as reading:
        assert reading.tables == ["examples", "votes"]
        assert reading["votes"].rows == 3
    assert isinstance(sw2.open(repository.root), Repository)
    with pytest.raises(NotFound):
        sw2.open(repository.root, rev="nowhere")


def test_a_handle_reads_what_the_commit_says(repository):
    repository.edit([Edit("e0", "label", "Bag")], ANN, "not committed")
    assert table(repository, "examples", "HEAD~1").arrow() == repository.read(rev="HEAD~1")
    assert table(repository, "examples").arrow() == repository.read()


def test_a_handle_of_a_commit_does_not_move_and_one_of_the_working_state_does(repository):
    fixed, live = table(repository, rev="HEAD"), table(repository)
    repository.delete_rows(["e0"], ANN, "gone")
    assert (fixed.rows, live.rows) == (10, 9)


def test_making_a_handle_reads_no_rows(repository, monkeypatch):
    def unread(*_):
        raise AssertionError("a segment was read")

    monkeypatch.setattr(repository.reader, "segment", unread)
    handle = table(repository).where("label = 'Coat'").select("id").take(["e1"])
    assert handle.columns == ["id"]


def test_where_select_and_take_are_put_together_in_any_order(reading):
    examples = reading["examples"]
    coats = examples.where("label = 'Coat' and confidence < 0.5")
    assert ids(coats) == ["e0", "e3"]
    assert ids(coats.where("id > 'e0'")) == ["e3"]
    assert ids(examples.select("id").where("confidence >= 0.8")) == ["e8", "e9"]
    assert ids(examples.take(["e9", "e3", "e4"]).where("label = 'Coat'")) == ["e9", "e3"]
    assert (coats.rows, len(coats), examples.rows) == (2, 2, 10)


def test_a_row_is_found_by_its_key(reading):
    row = reading["examples"].select("id", "label", "vector").get("e4")
    assert row == {"id": "e4", "label": "Shirt", "vector": [4.0, 0.5]}
    assert reading["examples"].get("e99") is None
    assert reading["examples"].where("label = 'Bag'").get("e4") is None


def test_taking_a_row_that_is_not_there_says_so_when_read(reading):
    handle = reading["examples"].take(["e1", "e99"])
    with pytest.raises(NotFound, match="no row `e99`"):
        handle.arrow()
    with pytest.raises(InvalidInput, match="named by strings"):
        reading["examples"].take([7]).arrow()


def test_what_is_not_there_is_told_at_once(reading):
    with pytest.raises(NotFound, match="no table `vetoes`"):
        reading["vetoes"]
    with pytest.raises(NotFound, match="no column `lable`"):
        reading["examples"].select("lable")
    with pytest.raises(InvalidInput, match="columns to select: id, id"):
        reading["examples"].select("id", "id")


CONDITIONS = [
    "label = 'Coat'",
    "label = 'Coat' -- a remark",
    "Label in ('Coat', 'Bag') or confidence is null",
    "examples.confidence between 0.2 and 0.5",
    "\"at\" >= timestamp '1970-01-05' and vector[1] > 5",
    "id like 'e%' and not (label = 'Bag')",
    "case when label = 'Bag' then true else id = 'e1' end",
    "confidence > 0.2) and (confidence < 0.7",
    "true",
]


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_means_what_it_means_in_a_query(reading, condition):
    expected = reading.query(f"select id from examples where ({condition}\n) order by id")
    assert ids(reading["examples"].where(condition)) == expected["id"].to_pylist()


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "-- nothing",
        "label",
        "confidence",
        ";",
        "true; drop table examples",
        "label = 'Coat' order by id",
        "true) union select (2",
        "true) group by (label",
        "true) then true when (false",
        "true) order by (label",
        "true), (false",
        "true) then true end from examples where (true",
        "true /*",
        "*/ true /*",
        "'",
        "count(*) > 1",
        "row_number() over () > 1",
        "unnest([true, false])",
        "confidence > (select avg(confidence) from examples)",
        "id in (select example from votes)",
        "lable = 'Coat'",
        "label = 3 + 'x'",
        "getenv('HOME') = ''",
        "$1",
    ],
)
def test_what_is_no_condition_on_a_row_is_refused(reading, condition):
    with pytest.raises(InvalidInput, match=re.escape(f"`{condition}` is no condition")) as caught:
        reading["examples"].where(condition)
    assert "id, image, label" in caught.value.hint


def test_a_condition_that_fails_on_a_cell_says_so(reading):
    with pytest.raises(InvalidInput, match="Could not convert"):
        reading["examples"].where("id::int = 1").arrow()


@settings(max_examples=15)
@given(st.lists(st.sampled_from([*LABELS, None]), max_size=20), st.integers(1, 5))
def test_a_filtered_scan_finds_what_a_list_would(tmp_path_factory, labels, batch_rows):
    repository = Repository.init(tmp_path_factory.mktemp("r"))
    rows = pa.table({"id": [f"{n:03}" for n in range(len(labels))], "label": labels})
    repository.stage_rows(rows.cast(pa.schema([("id", "string"), ("label", "string")])), ANN,
                          "x", a_schema())  # fmt: skip
    handle = Reading(repository)["examples"].where("label <> 'Bag'").select("id")
    batches = list(handle.scan(batch_rows))
    found = [key for batch in batches for key in batch["id"].to_pylist()]
    assert found == [f"{n:03}" for n, label in enumerate(labels) if label in ("Coat", "Shirt")]
    assert all(batch.num_rows <= batch_rows for batch in batches)
    repository.close()


def test_a_scan_filters_batch_by_batch_and_reads_what_it_needs(reading, monkeypatch):
    read = []
    inner = reading.view.reader.segment

    def segment(entry, columns, keep=True):
        read.append({column.name for column in columns})
        return inner(entry, columns, keep)

    monkeypatch.setattr(reading.view.reader, "segment", segment)
    batches = reading["examples"].where("confidence < 0.1").select("id").scan()
    assert next(batches)["id"].to_pylist() == ["e0"]
    assert read == [{"id", "confidence"}]


def test_pandas_and_polars_get_categories(reading):
    pandas, polars = reading["examples"].pandas(), reading["examples"].polars()
    assert pandas["label"].value_counts().to_dict() == {"Coat": 4, "Shirt": 3, "Bag": 3}
    assert str(pandas["label"].dtype) == "category"
    assert polars["label"].to_list()[:3] == list(LABELS)
    assert polars.height == len(pandas) == 10


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_library_that_is_not_installed_is_named(reading, monkeypatch, library):
    real = builtins.__import__

    def without(name, *rest, **options):
        if name == library:
            raise ImportError(name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=f"{library} is not installed") as caught:
        getattr(reading["examples"], library)()
    assert f"pip install {library}" in caught.value.hint


def test_a_relation_of_duckdb_goes_on_from_a_handle(reading):
    import duckdb

    coats = reading["examples"].where("label = 'Coat'")
    assert coats.duckdb().aggregate("count(*), max(id)").fetchall() == [(4, "e9")]
    with duckdb.connect() as mine:
        relation = reading["examples"].select("id", "confidence").duckdb(mine)
        assert relation.filter("confidence > 0.75").project("id").fetchall() == [("e8",), ("e9",)]


def test_an_empty_handle_still_has_its_columns(reading):
    none = reading["examples"].where("false").select("label", "at")
    assert none.arrow().schema == reading["examples"].select("label", "at").arrow().schema
    assert none.rows == 0


def test_the_rows_of_the_builder_are_what_is_read(reading):
    held = reading["examples"].arrow()
    assert held.select(["id", "label"]).to_pylist() == (
        examples(held["image"].to_pylist()).select(["id", "label"]).to_pylist()
    )


def test_import_loads_no_duckdb_and_a_handle_no_torch(repository):
    code = (
        "import sys, sw2\n"
        "assert not {'duckdb', 'pyarrow', 'torch'} & set(sys.modules)\n"
        "with sw2.open(sys.argv[1], rev='HEAD') as reading: reading['examples'].arrow()\n"
        "assert not {'duckdb', 'torch', 'polars'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(repository.root)], check=True)


def test_retired_labels_are_read_where_they_occur(repository):
    schema = repository.schema().retire_labels("label", ["Coat", "Shirt"])
    repository.define(schema, "only bags")
    handle = table(repository)
    expected = repository.read(["label"])["label"].to_pylist()
    assert handle.arrow()["label"].to_pylist() == expected
    assert handle.pandas()["label"].tolist() == expected
    assert handle.polars()["label"].to_list() == expected
    found = handle.reading.query("select label from examples order by id")
    assert found["label"].to_pylist() == expected
    repository.commit("Only bags", "Ann")
    rows = table(repository).torch(["id", "label"], shuffle=True, seed=2)
    assert [row["label"] for row in sorted(rows, key=lambda row: row["id"])] == expected


def test_a_retyped_column_is_read_as_what_it_is_now(repository):
    schema = repository.schema().retype("confidence", "string")
    repository.define(schema, "as text")
    handle = table(repository)
    assert handle.arrow() == repository.read()
    assert ids(handle.where("confidence = '0.2'")) == ["e2"]
