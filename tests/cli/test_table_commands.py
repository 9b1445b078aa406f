"""Tables on the command line: asked in SQL, brought in, written out, and rows deleted."""

import json

import pytest

VOTES = "id,example,label\nv1,a,Coat\nv2,b,Bag\n"


@pytest.fixture
def votes(repository):
    (repository.folder / "votes.csv").write_text(VOTES)
    repository.ok("import", "votes.csv", "--table", "votes")
    repository.ok("commit", "-m", "Votes")
    return repository


COUNTS = "select label, count(*) as n from examples group by label order by label"


def test_a_query_prints_an_aligned_table(repository):
    assert repository.ok("query", COUNTS) == "label   n\nacross  3\ndown    3\n"


def test_a_query_prints_csv_json_lines_and_one_document(repository):
    assert repository.ok("query", COUNTS, "--format", "csv") == "label,n\nacross,3\ndown,3\n"
    lines = repository.ok("query", COUNTS, "--format", "jsonl").splitlines()
    assert [json.loads(line) for line in lines][1] == {"label": "down", "n": 3}
    rows = [{"label": "across", "n": 3}, {"label": "down", "n": 3}]
    assert repository.json("query", COUNTS) == {"columns": ["label", "n"], "rows": rows}


def test_a_query_reads_a_commit_or_what_is_staged(votes):
    votes.ok("rm", "v1", "--table", "votes")
    count = "select count(*) as n from votes"
    assert votes.ok("query", count) == "n\n1\n"
    assert votes.ok("query", count, "--rev", "HEAD") == "n\n2\n"


def test_long_and_hostile_cells_are_made_safe_and_short(repository):
    told = repository.ok("query", "select repeat('x', 99) as a, 'b' || chr(27) || '[2J' as b")
    assert told.splitlines()[1] == "x" * 39 + "…  b\\x1b[2J"


def test_a_limit_is_kept(repository):
    ids = "select id from examples order by id"
    assert len(repository.ok("query", ids, "--limit", "2", "--format", "csv").splitlines()) == 3
    assert repository.json("query", ids, "--limit", "0") == {"columns": ["id"], "rows": []}


def test_times_in_a_document_are_milliseconds(repository):
    asked = "select timestamp '1970-01-02' as t, [1.5, 'nan'::double] as v,"
    asked += " {'a': date '2026-01-02'} as s"
    assert repository.json("query", asked)["rows"] == [
        {"t": 86_400_000, "v": [1.5, None], "s": {"a": "2026-01-02"}}
    ]


def test_a_wrong_query_is_told_in_one_shape(repository):
    told = repository.run("query", "select lable from examples")
    assert told.exit_code == 1
    assert "error: " in told.stderr
    assert "hint: `examples` has id, image, label" in told.stderr
    assert repository.json("query", "drop table examples")["kind"] == "invalid-input"


def test_an_import_tells_types_and_lines_left_out(repository):
    (repository.folder / "votes.csv").write_text(VOTES + "v3,c\n")
    told = repository.run("import", "votes.csv", "--table", "votes", "--type", "label=category")
    assert "votes: 2 added" in told.stdout
    assert "columns: id string, example string, label category" in told.stdout
    assert "skipped: votes.csv:4: 2 fields, but the header has 3" in told.stderr
    assert "1 row skipped" in told.stderr


def test_an_import_answers_with_a_document_and_is_undone_as_one(repository):
    (repository.folder / "votes.csv").write_text(VOTES)
    answer = repository.json("import", "votes.csv", "--table", "votes")
    assert (answer["added"], answer["columns"]["id"]) == (2, "string")
    assert "import votes.csv into votes" in repository.ok("undo")
    assert "nothing is staged" in repository.ok("status")


@pytest.mark.parametrize(
    "words", [("--type", "label"), ("--update-only", "--replace")], ids=["type", "both"]
)
def test_an_import_that_is_written_wrong_is_refused(votes, words):
    assert votes.run("import", "votes.csv", "--table", "votes", *words).exit_code == 2


def test_an_export_is_written_once(votes):
    where = ("--table", "votes", "--where", "label = 'Bag'", "--columns", "id,label")
    assert votes.ok("export", "out.csv", *where) == "1 row of votes in out.csv\n"
    assert (votes.folder / "out.csv").read_text() == "id,label\nv2,Bag\n"
    assert votes.run("export", "out.csv", *where).exit_code == 1
    assert votes.json("export", "out.csv", *where, "--force")["rows"] == 1


def test_rows_are_deleted_by_name_or_by_what_they_say(votes):
    assert votes.ok("rm", "pictures/across/0.png") == "deleted pictures/across/0.png of examples\n"
    assert votes.ok("rm", "--table", "votes", "--where", "label = 'Bag'") == (
        "deleted v2 of votes\n"
    )
    assert votes.json("query", "select id from votes")["rows"] == [{"id": "v1"}]
    assert votes.json("query", "select count(*) as n from examples")["rows"] == [{"n": 5}]


def test_deleting_asks_what_and_whether_many_are_meant(votes, monkeypatch):
    assert votes.run("rm").exit_code == 2
    assert votes.run("rm", "v1", "--where", "true").exit_code == 2
    monkeypatch.setattr("sw2.cli.rows.UNASKED", 1)
    refused = votes.run("rm", "--table", "votes", "--where", "true")
    assert refused.exit_code == 1
    assert "means 2 rows of table `votes`" in refused.stderr
    assert votes.ok("rm", "--table", "votes", "--where", "true", "--yes") == (
        "deleted 2 rows of votes\n"
    )


def test_nothing_meant_deletes_nothing(votes):
    assert votes.ok("rm", "--table", "votes", "--where", "false") == "no row of votes is meant\n"
    assert "nothing is staged" in votes.ok("status")
    assert votes.run("rm", "--table", "votes", "v9").exit_code == 1
