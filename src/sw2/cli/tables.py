"""Tables and their columns: tables, schema."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from sw2.cli.frame import Usage, command
from sw2.cli.terminal import Terminal, bold, count, dim, plain

if TYPE_CHECKING:
    from sw2.repo import Repository
    from sw2.table import Column, Snapshot

SHOWN = 12  # labels on a line; --json lists all


@command(example="sw2 tables")
@click.option("--rev", help="As they were at this revision, instead of with what is staged.")
def tables(terminal: Terminal, rev: str | None) -> None:
    """List the tables, with rows and columns."""
    with terminal.repository() as repository:
        names = sorted(repository.commit_of(rev).tables) if rev else repository.tables()
        standing = [repository.snapshot(rev, name) for name in names]
        found = [
            {"name": each.schema.table, "rows": each.rows, "columns": each.schema.names}
            for each in standing
        ]
    terminal.answer(found, map(_table_line, found))
    if not found:
        terminal.say("there is no table yet; next: sw2 add FOLDER")


def _table_line(table: dict[str, Any]) -> str:
    names = ", ".join(map(plain, table["columns"]))
    return f"{bold(plain(table['name']))}  {count(table['rows'], 'row')}  {dim(names)}"


@command(
    example="sw2 schema\nsw2 schema --rename-label label:Coat=Jacket --order-labels label=Bag,Shirt"
)
@click.argument("table", default="examples")
@click.option("--rename", multiple=True, metavar="OLD=NEW", help="Rename a column.")
@click.option("--drop", multiple=True, metavar="COLUMN", help="Take a column away.")
@click.option("--add", multiple=True, metavar="COLUMN:TYPE", help="Add a column.")
@click.option("--retype", multiple=True, metavar="COLUMN=TYPE", help="Give a column another type.")
@click.option("--lossy", is_flag=True, help="Let cells that do not convert become empty.")
@click.option("--add-label", multiple=True, metavar="COLUMN=LABEL", help="Add a label.")
@click.option("--rename-label", multiple=True, metavar="COLUMN:OLD=NEW", help="Rename a label.")
@click.option("--retire-label", multiple=True, metavar="COLUMN:LABEL", help="Retire a label.")
@click.option("--order-labels", multiple=True, metavar="COLUMN=A,B,…", help="Which come first.")
@click.option("--rule", multiple=True, metavar="COLUMN=RULE", help="How merging settles cells.")
@click.option("--rev", help="Show it as it was at this revision.")
def schema(terminal: Terminal, table: str, rev: str | None, lossy: bool, **wishes: Any) -> None:
    """Show or change the columns of a table.

    Without options: columns, types, and labels with how often each occurs. Options are carried out
    in the order listed here, all of them or none, staged as one step, and no row is written:
    `sw2 undo` takes it back. What an option names is called what the options above it made it.

    \b
    Types: bool int float string text category tags timestamp json vector
           image audio boxes polygons masks keypoints spans regions
    Rules: ask (default) ours theirs latest higher-confidence majority"""
    changes = [change for name in _FORMS for change in _parsed(name, wishes[name], lossy)]
    if changes and rev:
        raise Usage("a revision that is past cannot be changed", hint="Leave --rev out")
    with terminal.repository() as repository:
        done = []
        if changes:
            with repository.step():
                done = [change(repository, table) for change in changes]
        snapshot = repository.snapshot(rev, table)
        columns = [_column(snapshot, column) for column in snapshot.schema.columns]
        document = {
            "table": table,
            "key": snapshot.schema.key,
            "rows": snapshot.rows,
            "columns": columns,
            "staged": [action.label for action in done if action],
        }
    terminal.answer(document, _lines(document))
    for action in done:
        terminal.say(f"staged: {plain(action.label)}" if action else "unchanged")


Change = Callable[["Repository", str], Any]


def _parsed(option: str, given: tuple[str, ...], lossy: bool) -> Iterator[Change]:
    """What the values of an option ask for. Raises Usage for one that is not of its form."""
    name, form = _FORMS[option]
    for text in given:
        parts, rest = [], text
        for mark in form:
            part, found, rest = rest.partition(mark)
            if not part or not found:
                shown = {"=": "COLUMN=…", ":": "COLUMN:…", ":=": "COLUMN:OLD=NEW"}[form]
                flag = option.replace("_", "-")
                raise Usage(f"`{plain(text)}` of --{flag} has no `{mark}`", hint=f"Give {shown}")
            parts.append(part)
        yield _bound(name, [*parts, rest], lossy)


def _bound(name: str, words: list[str], lossy: bool) -> Change:
    def change(repository: "Repository", table: str) -> Any:
        from sw2.repo import schemas

        first: Any = words
        if name in ("add_labels", "retire_labels"):
            first = [words[0], [words[1]]]
        elif name == "order_labels":
            first = [words[0], words[1].split(",")]
        more = {"lossy": lossy} if name == "retype" else {}
        return getattr(schemas, name)(repository, table, *first, **more)

    return change


# Each option, in the order they are carried out: its function of `repo.schemas`, and the marks that
# stand between the words of its values.
_FORMS = {
    "rename": ("rename", "="),
    "drop": ("drop", ""),
    "add": ("add", ":"),
    "retype": ("retype", "="),
    "add_label": ("add_labels", "="),
    "rename_label": ("rename_label", ":="),
    "retire_label": ("retire_labels", ":"),
    "order_labels": ("order_labels", "="),
    "rule": ("set_rule", "="),
}


def _column(snapshot: "Snapshot", column: "Column") -> dict[str, Any]:
    """A column as JSON. filled: rows with a cell."""
    from sw2.table.cells import label_uses

    cells = snapshot.stored([column.name])[0]
    document: dict[str, Any] = {
        "id": column.id,
        "name": column.name,
        "type": column.type,
        "was": [link.type for link in column.chain[1:]],
        "merge": column.merge,
        "filled": len(cells) - cells.null_count,
    }
    if column.has_labels:
        import numpy as np

        counts = np.bincount(label_uses(column.type, cells)[1], minlength=len(column.slots))
        gone = [slot for slot in range(len(column.slots)) if slot not in set(column.live)]
        document["labels"] = {column.slots[slot]: int(counts[slot]) for slot in column.live}
        document["retired"] = {column.slots[slot]: int(counts[slot]) for slot in gone}
    return document


def _lines(document: dict[str, Any]) -> Iterator[str]:
    yield f"{bold(plain(document['table']))}, {count(document['rows'], 'row')}"
    wide = max(len(plain(column["name"])) for column in document["columns"])
    for column in document["columns"]:
        told = ["key"] if column["name"] == document["key"] else [f"{column['filled']:,} filled"]
        told += [f"was {', '.join(column['was'])}"] if column["was"] else []
        told += [f"merged by {column['merge']}"] if column["merge"] != "ask" else []
        yield f"  {plain(column['name']):<{wide}}  {column['type']:<9}  {dim('; '.join(told))}"
        yield from _label_lines("labels", column.get("labels"))
        yield from _label_lines("retired", column.get("retired"))


def _label_lines(word: str, labels: dict[str, int] | None) -> Iterator[str]:
    if labels:
        shown = [f"{plain(name)} {often:,}" for name, often in list(labels.items())[:SHOWN]]
        more = f", … {len(labels) - SHOWN} more" if len(labels) > SHOWN else ""
        yield f"    {word}: {', '.join(shown)}{more}"
