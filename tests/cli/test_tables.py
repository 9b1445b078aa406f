"""tables, schema."""

import pytest


def columns_of(cli, *words):
    return {column["name"]: column for column in cli.json("schema", *words)["columns"]}


def test_tables_are_listed_with_rows_and_columns(repository):
    line = "examples  6 rows  id, image, label, split, reviewed\n"
    assert repository.ok("tables") == line
    assert repository.ok("tables", "--rev", "HEAD") == line
    (table,) = repository.json("tables")
    assert (table["name"], table["rows"], table["columns"][0]) == ("examples", 6, "id")


def test_without_a_table_that_is_said(cli):
    cli.ok("init")
    result = cli.run("tables")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "there is no table yet" in result.stderr
    assert cli.run("schema").exit_code == 1


def test_a_schema_is_shown_with_how_often_labels_occur(repository):
    text = repository.ok("schema")
    assert text.startswith("examples, 6 rows\n  id        string     key\n")
    assert "  label     category   6 filled\n    labels: across 3, down 3\n" in text
    assert columns_of(repository)["label"]["labels"] == {"across": 3, "down": 3}


def test_many_changes_are_one_step(repository):
    result = repository.run(
        *("schema", "examples", "--add", "note:text", "--add", "score:int"),
        *("--retype", "part=string", "--rename", "split=part", "--drop", "reviewed"),
        *("--add-label", "label=slant", "--add-label", "label=dot"),
        *("--rename-label", "label:down=upright", "--retire-label", "label:dot"),
        *("--order-labels", "label=upright,slant", "--rule", "label=latest"),
    )
    assert result.exit_code == 0, result.output
    assert "staged: rename label down of label to upright\n" in result.stderr
    columns = columns_of(repository)
    assert list(columns) == ["id", "image", "label", "part", "note", "score"]
    assert columns["label"]["labels"] == {"upright": 3, "slant": 0, "across": 3}
    assert (columns["label"]["retired"], columns["label"]["merge"]) == ({"dot": 0}, "latest")
    assert (columns["part"]["type"], columns["part"]["was"]) == ("string", ["category"])
    assert "    retired: dot 0\n" in repository.ok("schema")
    assert "reviewed" in columns_of(repository, "--rev", "HEAD")
    repository.ok("undo")
    assert list(columns_of(repository)) == ["id", "image", "label", "split", "reviewed"]
    assert repository.json("status")["clean"]


def test_a_change_that_cannot_be_leaves_the_others_undone(repository):
    answer = repository.json("schema", "--add", "note:text", "--retire-label", "label:down")
    assert answer["kind"] == "invalid-input"
    assert "`down` of column `label` is that of 3 rows" in answer["message"]
    assert "note" not in columns_of(repository)


def test_cells_that_do_not_convert_are_given_up_only_when_asked(repository):
    refused = repository.run("schema", "--retype", "label=int")
    assert (refused.exit_code, "--lossy" in refused.stderr) == (1, True)
    repository.ok("schema", "--retype", "label=int", "--lossy")
    assert columns_of(repository)["label"]["filled"] == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--add", "note"], "`note` of --add has no `:`"),
        (["--rename-label", "label=a"], "has no `:`"),
        (["--rule", "=x"], "has no `=`"),
        (["--rev", "HEAD", "--drop", "label"], "cannot be changed"),
    ],
)
def test_an_option_of_another_form_is_a_wrong_command_line(repository, words, told):
    result = repository.run("schema", *words)
    assert result.exit_code == 2
    assert told in result.stderr


def test_a_change_that_is_none_is_said(repository):
    result = repository.run("schema", "--add-label", "label=down")
    assert result.stderr == "unchanged\n"
