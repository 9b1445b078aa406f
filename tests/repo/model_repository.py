"""Repositories for tests, and a plain model of one."""

import pyarrow as pa

from sw2.repo import Repository, fsck
from sw2.table import Schema
from sw2.values import Origin

ANNE, BOB = Origin("anne"), Origin("bob", why="second look")
LABELS = ("cat", "dog", "owl")
NAMES = ("label", "split", "score", "count")


def a_schema(labels=LABELS, key="string"):
    schema = Schema.create("examples", "id", {"id": key}).add("label", "category", labels)
    return schema.add("split", "string").add("score", "float").add("count", "int")


def a_table(rows):
    """{key: {column: cell}} -> Arrow; a row has the columns of the first."""
    names = list(next(iter(rows.values()), {}))
    cells = {name: [row.get(name) for row in rows.values()] for name in names}
    return pa.table({"id": list(rows)} | cells)


def a_repository(root, rows=None, labels=LABELS):
    """A repository with one commit of rows, by default a, b and c with a label each."""
    rows = rows or {"a": {"label": "cat"}, "b": {"label": "dog"}, "c": {"label": None}}
    repository = Repository.init(root)
    key = "int" if isinstance(next(iter(rows)), int) else "string"
    repository.stage_rows(a_table(rows), ANNE, "import", a_schema(labels, key))
    repository.commit("import", "anne")
    return repository


def rows_of(repository, rev=None):
    """What a repository says: {key: {column: cell}}, without nulls."""
    return {
        row.pop("id"): {name: cell for name, cell in row.items() if cell is not None}
        for row in repository.read(rev=rev).to_pylist()
    }


def labels_of(repository, rev=None):
    return {key: row.get("label") for key, row in rows_of(repository, rev).items()}


def sound(repository):
    """Whether a fresh look at the repository finds no fault."""
    fresh = Repository.open(repository.root)
    faults = fsck(fresh)
    fresh.close()
    assert faults == []
    return True
