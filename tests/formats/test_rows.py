"""Files of rows come in and go out, and what cannot be used is told with its line."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sw2.errors import InvalidInput, Unavailable
from sw2.formats import Wanted, export_rows, import_rows
from sw2.formats.row_cells import as_cells, kind_of, moment
from sw2.formats.row_files import values_of
from sw2.query import Reading, table
from sw2.repo import Edit, Repository
from sw2.table import Column, Schema
from sw2.values import Origin

ANN = Origin("Ann")


@pytest.fixture
def repository(tmp_path):
    made = Repository.init(tmp_path)
    yield made
    made.close()


@pytest.fixture
def bring(repository, tmp_path):
    """Writes a file and imports it into `votes`."""

    def do(text, name="votes.csv", into="votes", **wanted):
        (tmp_path / name).write_text(text)
        return import_rows(repository, tmp_path / name, into, Wanted(**wanted), by="Ann")

    return do


COATS = (1, 2, 4)
VOTES = "id,label,score\n" + "".join(
    f"v{n},{'Coat' if n in COATS else 'Bag'},{n}\n" for n in range(1, 9)
)


def test_a_csv_file_makes_a_table_whose_types_its_cells_tell(repository, bring):
    report = bring(VOTES)
    assert (report.added, report.updated, report.skipped) == (8, 0, ())
    assert report.columns == {"id": "string", "label": "category", "score": "int"}
    assert repository.schema("votes").column("label").labels == ("Bag", "Coat")
    assert table(repository, "votes").get("v3") == {"id": "v3", "label": "Bag", "score": 3}


def test_the_same_file_again_stages_nothing_and_a_changed_one_what_differs(repository, bring):
    bring(VOTES)
    again = bring(VOTES)
    assert (again.added, again.updated, again.unchanged) == (0, 0, 8)
    changed = bring(VOTES.replace("v3,Bag,3", "v3,Coat,3") + "v9,Bag,9\n")
    assert (changed.added, changed.updated, changed.unchanged) == (1, 1, 7)


def test_an_import_is_undone_as_one(repository, bring):
    bring(VOTES)
    repository.commit("Votes", "Ann")
    report = bring("id,label,score\nv1,Bag,1\nx,Coat,0\n", replace=True)
    assert (report.added, report.updated, report.deleted) == (1, 1, 7)
    repository.undo()
    assert repository.status().clean


def test_update_only_adds_no_row(repository, bring):
    bring(VOTES)
    report = bring("id,score\nv1,10\nx,0\n", update_only=True)
    assert (report.added, report.updated, report.missing) == (0, 1, 1)
    assert table(repository, "votes").rows == 8


def test_replacing_from_a_file_with_bad_lines_deletes_nothing(repository, bring):
    bring(VOTES)
    with pytest.raises(InvalidInput, match=r"votes\.csv:3"):
        bring("id,score\nv1,10\nv2\n", replace=True)
    assert table(repository, "votes").rows == 8


def test_new_labels_are_added_only_when_wanted(repository, bring):
    bring(VOTES)
    more = "id,label\nv1,Hat\nv2,Cap\n"
    with pytest.raises(InvalidInput, match="no label Cap, Hat"):
        bring(more)
    assert bring(more, new_labels=True).labels == {"label": ("Cap", "Hat")}
    assert repository.schema("votes").column("label").labels == ("Bag", "Coat", "Cap", "Hat")


def test_bad_lines_are_told_and_the_rest_is_taken(repository, bring):
    bring("id,n\na,1\n")
    report = bring("id,n\nb,2\nc\n,3\nb,4\nd,many\ne,5\n")
    assert [(each.line, each.reason) for each in report.skipped] == [
        (3, "1 field, but the header has 2"),
        (4, "no `id`"),
        (5, "`b` is on line 2 already"),
        (6, "`many` is no int, which column `n` holds"),
    ]
    assert table(repository, "votes").arrow()["n"].to_pylist() == [1, 2, 5]


def test_rows_without_a_key_are_named_by_what_they_say(repository, bring):
    bring("who,what\nBo,x\nCy,y\nBo,x\n", into="notes")
    ids = table(repository, "notes").arrow()["id"].to_pylist()
    assert len({id.partition("#")[0] for id in ids}) == 2
    assert [id for id in ids if id.endswith("#2")]
    again = bring("what,who\ny,Cy\nx,Bo\nx,Bo\n", into="notes")
    assert (again.added, again.updated, again.unchanged) == (0, 0, 3)


def test_types_can_be_said(bring):
    report = bring("id,n,word\n1,007,a\n2,3,b\n", types={"n": "int", "word": "category"})
    assert report.columns == {"id": "int", "n": "int", "word": "category"}
    assert [each.line for each in report.skipped] == [2]


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"types": {"nope": "int"}}, "no column `nope`"),
        ({"types": {"n": "colour"}}, "no type `colour`"),
        ({"key": "nope"}, "no column `nope`"),
    ],
)
def test_a_wish_that_fits_no_column_is_refused(repository, bring, wanted, told):
    with pytest.raises(InvalidInput, match=told):
        bring("id,n\na,1\n", **wanted)
    assert repository.tables() == []


def test_a_table_keeps_its_key_and_its_types(bring):
    bring("id,n\na,1\n")
    with pytest.raises(InvalidInput, match="names its rows by `id`"):
        bring("id,n\nb,1\n", key="n")
    with pytest.raises(InvalidInput, match="is int, not float"):
        bring("id,n\nb,1\n", types={"n": "float"})


def test_json_lines_bring_lists_times_and_records(repository, bring):
    lines = [
        {"id": "a", "at": "2026-01-02T03:04:05Z", "v": [1, 2.5], "r": {"x": 1}, "m": 1},
        {"id": "b", "at": "2026-01-02", "v": None, "m": "one", "late": True},
    ]
    text = json.dumps(lines[0]) + "\nnot json\n[1]\n\n" + json.dumps(lines[1])
    report = bring(text, "rows.jsonl")
    assert report.columns == {
        "id": "string", "at": "timestamp", "v": "vector", "r": "json", "m": "json", "late": "bool",
    }  # fmt: skip
    assert [each.line for each in report.skipped] == [2, 3]
    row = table(repository, "votes").get("a")
    assert (row["v"], row["r"], row["m"], row["late"]) == ([1.0, 2.5], '{"x": 1}', "1", None)
    assert row["at"].isoformat() == "2026-01-02T03:04:05"


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".arrow"])
def test_shapes_and_tags_go_out_and_come_in_again(repository, bring, tmp_path, suffix):
    box = {"label": "Cat", "x": 1, "y": 2, "w": 3, "h": 4}
    lines = [{"id": "a", "b": [box], "t": ["red", "big"]}, {"id": "b", "b": [], "t": None}]
    types = {"b": "boxes", "t": "tags"}
    bring("\n".join(map(json.dumps, lines)), "rows.jsonl", "t", types=types)
    assert repository.schema("t").column("t").labels == ("big", "red")
    first = table(repository, "t").arrow()
    assert first["b"].to_pylist()[0][0]["label"] == "Cat"
    export_rows(table(repository, "t"), tmp_path / f"out{suffix}")
    again = import_rows(repository, tmp_path / f"out{suffix}", "t", by="Ann")
    assert (again.added, again.updated, again.unchanged) == (0, 0, 2)


def test_a_new_label_in_a_box_is_added_only_when_wanted(bring):
    line = '{"id": "a", "b": [{"label": "Cat", "x": 1, "y": 2, "w": 3, "h": 4}]}'
    bring(line, "rows.jsonl", types={"b": "boxes"})
    other = line.replace("Cat", "Dog")
    with pytest.raises(InvalidInput, match="no label Dog"):
        bring(other, "rows.jsonl")
    assert bring(other, "rows.jsonl", new_labels=True).updated == 1


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".arrow"])
def test_retired_labels_are_exported_too(repository, bring, tmp_path, monkeypatch, suffix):
    monkeypatch.setattr("sw2.table.segment.ROWS", 3)
    bring(VOTES)
    repository.define(repository.schema("votes").retire_labels("label", ["Coat"]), "no coats")
    assert export_rows(table(repository, "votes"), tmp_path / f"out{suffix}") == 8
    report = import_rows(repository, tmp_path / f"out{suffix}", "copy", by="Ann")
    assert (report.added, sorted(report.labels["label"])) == (8, ["Bag", "Coat"])


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_typed_files_keep_their_types(repository, tmp_path, suffix):
    held = pa.table(
        {
            "id": pa.array([1, 2], pa.uint8()),
            "label": pa.array(["a", "b"]).dictionary_encode(),
            "day": pa.array([0, 1], pa.date32()),
            "at": pa.array([0, 1_000_000], pa.timestamp("us", "Europe/Berlin")),
            "v": pa.array([[1.0], [2.0]], pa.list_(pa.float64(), 1)),
            "r": pa.array([{"x": 1}, None]),
        }
    )
    path = tmp_path / f"rows{suffix}"
    if suffix == ".parquet":
        pq.write_table(held, path)
    else:
        with pa.ipc.new_file(path, held.schema) as writer:
            writer.write_table(held)
    report = import_rows(repository, path, "t", by="Ann")
    assert report.columns == {
        "id": "int", "label": "category", "day": "timestamp", "at": "timestamp", "v": "vector",
        "r": "json",
    }  # fmt: skip
    row = Reading(repository)["t"].get(2)
    assert (row["label"], row["v"], row["at"].second, row["day"].day) == ("b", [2.0], 1, 2)


@pytest.mark.parametrize(
    ("name", "raw", "told"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"id,id\n1,2\n", "twice: `id`"),
        ("a.parquet", b"PAR1 no", "a.parquet"),
        ("a.arrow", b"ARROW1 no", "a.arrow"),
        ("a.xlsx", b"PK", "no kind that holds rows"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(repository, tmp_path, name, raw, told):
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(InvalidInput, match=told):
        import_rows(repository, tmp_path / name, "t", by="Ann")
    with pytest.raises(InvalidInput, match="cannot read"):
        import_rows(repository, tmp_path / f"none{(tmp_path / 'x.csv').suffix}", "t", by="Ann")
    assert repository.tables() == []


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["true", "false"], "bool"),
        (["1", "2"], "int"),
        (["007", "2"], "string"),
        (["1.5", "2"], "float"),
        (["2026-01-02", "2026-01-02T03:04:05+01:00"], "timestamp"),
        (["[1, 2.5]", "[]"], "vector"),
        (['{"a": 1}', "[true]"], "json"),
        (["a", "b"] * 4, "category"),
        (["a", "b"], "string"),
        ([None], "string"),
    ],
)
def test_the_cells_tell_the_type(words, kind):
    assert kind_of(pa.array(words, pa.string())) == kind


def test_a_time_without_a_zone_is_one_of_utc():
    assert moment("1970-01-01T01:00:00+01:00") == 0
    assert moment("1969-12-31T23:59:59.999") == -1


@given(st.lists(st.text(max_size=6) | st.none(), max_size=12), st.sampled_from(
    ["bool", "int", "float", "string", "category", "timestamp", "image", "text", "vector", "json"]
))  # fmt: skip
def test_any_text_is_a_cell_or_told(words, kind):
    column = Column("0" * 8, "c", kind)
    cells, bad = as_cells(pa.array(words, pa.string()), column)
    assert len(cells) == len(bad) == len(words)
    assert all(cells[at].as_py() is None for at in range(len(words)) if bad[at])
    if kind in ("string", "text", "category"):
        assert cells.to_pylist() == words


ROWS = {
    "id": st.text("abcdefgh", min_size=1, max_size=5),
    "label": st.sampled_from(["Coat", "Bag", "a,b", 'a"b', "a\nb"]) | st.none(),
    "n": st.integers(-(2**63), 2**63 - 1) | st.none(),
    "x": st.floats(allow_nan=False, allow_infinity=False) | st.none(),
    "yes": st.booleans() | st.none(),
    "at": st.integers(-(10**12), 10**13) | st.none(),
    "v": st.none()
    | st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=3),
}  # fmt: skip


@settings(max_examples=10)
@given(st.lists(st.fixed_dictionaries(ROWS), min_size=1, max_size=6, unique_by=lambda r: r["id"]))
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet", ".arrow"])
def test_what_is_exported_comes_in_again(tmp_path_factory, suffix, rows):
    folder = tmp_path_factory.mktemp("r")
    repository = Repository.init(folder)
    types = {"id": "string", "label": "category", "n": "int", "x": "float", "yes": "bool"}
    schema = Schema.create("t", "id", {**types, "at": "timestamp", "v": "vector"})
    schema = schema.with_labels("label", sorted({r["label"] for r in rows} - {None}))
    shown = [pa.string() if c.type == "category" else c.stored for c in schema.columns]
    held = pa.table(
        [pa.array([r[n] for r in rows], kind) for n, kind in zip(schema.names, shown, strict=True)],
        schema.names,
    )
    repository.stage_rows(held, ANN, "rows", schema, table="t")
    export_rows(table(repository, "t"), folder / f"t{suffix}")
    report = import_rows(repository, folder / f"t{suffix}", "t", by="Ann")
    assert (report.added, report.updated, report.skipped) == (0, 0, ())
    repository.close()


def test_an_export_reads_a_commit_some_rows_and_some_columns(repository, bring, tmp_path):
    bring(VOTES)
    repository.commit("Votes", "Ann")
    repository.edit([Edit("v1", "label", "Bag")], ANN, "later", table="votes")
    handle = table(repository, "votes", "HEAD").where("label = 'Coat'").select("id", "score")
    assert export_rows(handle, tmp_path / "coats.csv") == 3
    assert (tmp_path / "coats.csv").read_text() == "id,score\nv1,1\nv2,2\nv4,4\n"


def test_an_export_replaces_a_file_only_by_force_and_only_when_whole(repository, bring, tmp_path):
    bring(VOTES)
    path = tmp_path / "out.csv"
    path.write_text("mine")
    with pytest.raises(InvalidInput, match="is there already"):
        export_rows(table(repository, "votes"), path)
    with pytest.raises(InvalidInput, match="Could not convert"):
        export_rows(table(repository, "votes").where("label::int = 1"), path, force=True)
    assert path.read_text() == "mine"
    export_rows(table(repository, "votes"), path, force=True)
    assert path.read_text() == VOTES
    assert [each.name for each in tmp_path.glob(".out*")] == []


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_are_written_as_iso_8601_as_long_as_there_is_a_word_for_them(unit):
    times = pa.array([0, None, 86_400], pa.timestamp("s")).cast(pa.timestamp(unit))
    assert [cell and moment(cell) for cell in values_of(times)] == [0, None, 86_400_000]
    beyond = pa.array([2**62, None], pa.timestamp("ms"))
    assert values_of(beyond) == [2**62, None]
    assert values_of(pa.array([None], pa.timestamp("ms"))) == [None]


def test_an_empty_export_still_names_its_columns(repository, bring, tmp_path):
    bring(VOTES)
    assert export_rows(table(repository, "votes").where("false"), tmp_path / "none.csv") == 0
    assert (tmp_path / "none.csv").read_text() == "id,label,score\n"


def test_a_folder_that_is_not_there_is_told(repository, bring, tmp_path):
    bring(VOTES)
    with pytest.raises((InvalidInput, Unavailable), match="no folder"):
        export_rows(table(repository, "votes"), tmp_path / "nowhere" / "out.csv")
