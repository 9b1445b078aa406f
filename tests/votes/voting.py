"""A repository whose examples are voted on, and a plain model of the rules."""

from collections import Counter

import pyarrow as pa

from sw2.repo import Repository, fsck
from sw2.table import Schema
from sw2.values import Origin
from sw2.votes import Vote, cast

ANN, BOB = Origin("ann"), Origin("bob")
LABELS = ("cat", "dog", "owl")


def a_repository(root, examples="abcdef", labels=LABELS):
    """One commit of examples without labels, but for `a`, which an import called an owl."""
    repository = Repository.init(root)
    schema = Schema.create("examples", "id", {"id": "string"}).add("label", "category", labels)
    schema = schema.add("count", "int").add("good", "bool").add("score", "float")
    first = ["owl" if key == "a" else None for key in examples]
    rows = pa.table({"id": list(examples), "label": first})
    repository.stage_rows(rows, Origin("labels.csv", "import"), "import", schema)
    repository.commit("import", "ann")
    return repository


def votes(text):
    """`a ann cat, a bob dog .8` -> votes."""
    said = [part.split() for part in text.split(",")]
    return [
        Vote(example, who, value, *(float(one) for one in rest))
        for example, who, value, *rest in said
    ]


def vote(repository, text, **where):
    return cast(repository, votes(text), ANN, **where)


def labels_of(repository, rev=None):
    rows = repository.read(["id", "label"], rev).to_pylist()
    return {row["id"]: row["label"] for row in rows if row["label"] is not None}


def most(said):
    """The value that is said most often, or None."""
    ranked = Counter(said).most_common(2)
    tied = len(ranked) == 2 and ranked[0][1] == ranked[1][1]
    return None if tied or not ranked else ranked[0][0]


def sound(repository):
    fresh = Repository.open(repository.root)
    faults = fsck(fresh)
    fresh.close()
    return faults == []
