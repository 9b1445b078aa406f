"""A repository as the tests of reading want it: two commits, two tables, every kind of column."""

import io

import pyarrow as pa
from PIL import Image

from sw2.repo import Edit, Repository
from sw2.table import Schema
from sw2.values import Origin

ANN = Origin("Ann")
LABELS = ("Coat", "Shirt", "Bag")
DAY = 86_400_000


def a_picture(level, width=3, height=2):
    out = io.BytesIO()
    Image.new("L", (width, height), level).save(out, "PNG")
    return out.getvalue()


def examples(names, count=10):
    """Rows e0 … of examples; every third is a Coat, a Shirt, a Bag."""
    return pa.table(
        {
            "id": [f"e{n}" for n in range(count)],
            "image": list(names),
            "label": [LABELS[n % 3] for n in range(count)],
            "confidence": [n / count for n in range(count)],
            "at": pa.array([n * DAY for n in range(count)], pa.timestamp("ms")),
            "vector": pa.array([[float(n), 0.5] for n in range(count)], pa.list_(pa.float32())),
        }
    )


def a_schema():
    schema = Schema.create("examples", "id", {"id": "string", "image": "image"})
    schema = schema.add("label", "category", LABELS).add("confidence", "float")
    return schema.add("at", "timestamp").add("vector", "vector")


def a_repository(folder):
    """`HEAD~1` as imported; at `HEAD` e1 is a Coat, e3 is gone and f0, a Bag, is there."""
    folder.mkdir()
    repository = Repository.init(folder)
    with repository.write_media() as put:
        names = [put(a_picture(20 * n)) for n in range(10)]
    repository.stage_rows(examples(names), ANN, "import", a_schema())
    votes = pa.table({"id": ["e1@Bo", "e2@Bo", "e2@Cy"], "example": ["e1", "e2", "e2"]})
    schema = Schema.create("votes", "id", {"id": "string", "example": "string"})
    repository.stage_rows(votes, ANN, "votes", schema, table="votes")
    repository.commit("Import", "Ann")
    repository.edit([Edit("e1", "label", "Coat")], ANN, "mend")
    repository.stage_rows(pa.table({"id": ["f0"], "label": ["Bag"]}), ANN, "one more")
    repository.delete_rows(["e3"], ANN, "one less")
    repository.commit("Mend", "Ann")
    return repository
