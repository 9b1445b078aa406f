"""What a cell of each type is: as stored, and as people see it.

Labels are stored as their slots. `tags` are a set of labels; boxes, polygons, masks, keypoints,
spans and regions are lists of elements, each with an `id`, a `label` (or null) and the fields of
its shape (`SHAPES`). An element without an id gets one made of its content, so that two people who
add the same box add one box. Masks are counted as COCO does (uncompressed RLE, columns first,
beginning with zeros); keypoints are its triples x, y, visibility."""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from blake3 import blake3

from sw2.errors import Damaged, InvalidInput

ColumnType = Literal[
    "bool", "int", "float", "string", "category", "timestamp", "image", "text", "vector", "json",
    "audio", "tags", "boxes", "polygons", "masks", "keypoints", "spans", "regions",
]  # fmt: skip
TYPES: tuple[str, ...] = get_args(ColumnType)
MEDIA_TYPES = ("image", "audio")
NUMBERS = pa.list_(pa.float64())
INT32, INT64 = (1 << 31) - 1, (1 << 63) - 1


def one_chunk(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The same cells in one piece of memory."""
    if isinstance(values, pa.Array):
        return values
    return values.chunk(0) if values.num_chunks == 1 else values.combine_chunks()


class Unfit(ValueError):
    """What is wrong with a value, and what to give instead."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what, self.remedy = what, remedy


def _number(value: Any, least: float = -math.inf) -> float:
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not good or not math.isfinite(value) or value < least:
        bound = "" if least == -math.inf else f" of at least {least:g}"
        raise Unfit(_shown(value), f"Give a number{bound}")
    return float(value)


def _whole(value: Any, least: int = 0, most: int = INT64) -> int:
    if type(value) is not int or not least <= value <= most:
        raise Unfit(_shown(value), f"Give a whole number of at least {least}")
    return value


def _size(value: Any) -> float:
    return _number(value, 0)


def _side(value: Any) -> int:
    return _whole(value, 1, INT32)


def _items(value: Any, each: Callable[[Any], Any], of: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise Unfit(_shown(value), f"Give a list of {of}")
    return [each(item) for item in value]


def _ring(value: Any) -> list[float]:
    ring = _items(value, _number, "x, y, x, y, …")
    if len(ring) < 6 or len(ring) % 2:
        raise Unfit(f"a ring of {len(ring)} numbers", "Give x, y of three points or more")
    return ring


def _rings(value: Any) -> list[list[float]]:
    return _items(value, _ring, "rings")


def _counts(value: Any) -> list[int]:
    return _items(value, _whole, "run lengths")


def _points(value: Any) -> list[float]:
    points = _items(value, _number, "x, y, visibility, …")
    if len(points) % 3 or any(v not in (0, 1, 2) for v in points[2::3]):
        raise Unfit(_shown(value), "Give x, y and visibility (0, 1 or 2) of each point")
    return points


def _area(element: Mapping[str, Any]) -> None:
    area, counted = element["height"] * element["width"], sum(element["counts"])
    if area != counted:
        what = f"`counts` of {counted} pixels"
        raise Unfit(what, f"Give counts that sum to height x width, {area}")


def _ordered(element: Mapping[str, Any]) -> None:
    start, end = element["start"], element["end"]
    if start > end:
        raise Unfit(f"`end` is {end}, before `start`, {start}", "Give start first, then end")


@dataclass(frozen=True, slots=True)
class Shape:
    """fields: name -> (Arrow type, what makes a value fit or raises Unfit).  whole: the check of
    an element whose fields fit."""

    fields: Mapping[str, tuple[pa.DataType, Callable[[Any], Any]]]
    whole: Callable[[Mapping[str, Any]], None] = lambda element: None

    @property
    def names(self) -> tuple[str, ...]:
        return ("id", "label", *self.fields)

    def stored(self, label: pa.DataType) -> pa.DataType:
        named = [(name, kind) for name, (kind, _) in self.fields.items()]
        return pa.list_(pa.struct([("id", pa.string()), ("label", label), *named]))


_REAL, _INT, _LONG = pa.float64(), pa.int32(), pa.int64()
SHAPES: dict[str, Shape] = {
    "boxes": Shape(
        {"x": (_REAL, _number), "y": (_REAL, _number), "w": (_REAL, _size), "h": (_REAL, _size)}
    ),
    "polygons": Shape({"rings": (pa.list_(NUMBERS), _rings)}),
    "masks": Shape(
        {"height": (_INT, _side), "width": (_INT, _side), "counts": (pa.list_(_LONG), _counts)},
        _area,
    ),
    "keypoints": Shape({"points": (NUMBERS, _points)}),
    "spans": Shape({"start": (_LONG, _whole), "end": (_LONG, _whole)}, _ordered),
    "regions": Shape({"start": (_REAL, _size), "end": (_REAL, _size)}, _ordered),
}
# Types whose column has labels, and types whose cells Python gives as objects.
LABELLED = ("category", "tags", *SHAPES)
OBJECTS = ("json", "tags", *SHAPES)
STORED: dict[str, pa.DataType] = {
    "bool": pa.bool_(),
    "int": pa.int64(),
    "float": pa.float64(),
    "string": pa.string(),
    "category": pa.int32(),
    "timestamp": pa.timestamp("ms"),
    "image": pa.binary(32),
    "text": pa.string(),
    "vector": pa.list_(pa.float32()),
    "json": pa.string(),
    "audio": pa.binary(32),
    "tags": pa.list_(pa.int32()),
} | {name: shape.stored(pa.int32()) for name, shape in SHAPES.items()}


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of a column.  slots: every name there was.  live: slots in visible order."""

    column: str
    slots: tuple[str, ...]
    live: tuple[int, ...]

    def numbers(self) -> dict[str, int]:
        return {self.slots[slot]: slot for slot in self.live}

    def unknown(self, name: object) -> Unfit:
        """For a label that is not one, or no longer."""
        names = [self.slots[slot] for slot in self.live]
        if name in self.slots:
            return Unfit(f"`{name}` is a retired label", "Add the label again, or use another")
        near = get_close_matches(str(name), names, 1)
        known = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
        hint = (f"Did you mean `{near[0]}`? " if near else "") + f"Its labels: {known}"
        return Unfit(f"`{name}` is not a label of column `{self.column}`", hint)


def encode_cells(kind: str, values: Any, labels: Labels) -> pa.Array | pa.ChunkedArray:
    """Cells as people see them -> as stored. values: an Arrow array, or a list of Python values.

    Raises InvalidInput naming the first bad one, or what Arrow and Python raise."""
    if kind in OBJECTS:
        cells = values if isinstance(values, list) else values.to_pylist()
        return pa.array(_encoded(kind, cells, labels), STORED[kind])
    if isinstance(values, list):
        values = pa.array(values)
    if kind == "category":
        return _encode_category(values, labels)
    if kind in MEDIA_TYPES:
        names = [None if v is None else bytes.fromhex(v) for v in values.to_pylist()]
        return pa.array(names, STORED[kind])
    return values.cast(STORED[kind])


def decode_cells(kind: str, values: Any, labels: Labels) -> pa.Array | pa.ChunkedArray:
    """Cells as stored -> as people see them. Raises Damaged where a cell has no label."""
    if kind == "category":
        return _decode_category(one_chunk(values), labels)
    if kind in MEDIA_TYPES:
        return pa.array([None if v is None else v.hex() for v in values.to_pylist()], pa.string())
    if kind == "tags":
        cells = one_chunk(values)
        return _list_of(cells, _names(cells.flatten(), labels))
    if kind in SHAPES:
        cells = one_chunk(values)
        elements = cells.flatten()
        seen = SHAPES[kind].stored(pa.string())
        fields = dict(zip(seen.value_type.names, elements.flatten(), strict=True))
        fields["label"] = _names(fields["label"], labels)
        named = pa.StructArray.from_arrays(list(fields.values()), fields=list(seen.value_type))
        return _list_of(cells, named)
    return values


def label_uses(kind: str, values: Any) -> tuple[Any, Any]:
    """Where labels occur in stored cells: (rows, slots), both int64 (M,), in order of rows."""
    cells = one_chunk(values)
    if kind == "category":
        rows, slots = np.arange(len(cells)), cells
    else:
        lengths = pc.fill_null(pc.list_value_length(cells), 0).to_numpy(zero_copy_only=False)
        rows, slots = np.repeat(np.arange(len(cells)), lengths), cells.flatten()
        if kind in SHAPES:
            slots = slots.flatten()[1]
    there = slots.is_valid().to_numpy(zero_copy_only=False)
    return rows[there], slots.drop_null().to_numpy().astype(np.int64)


def renumbered(values: Any, numbers: Any) -> Any:
    """Stored cells of a category, of tags or of a shape with each slot s as numbers[s] (int32).

    Raises Damaged for a slot that `numbers` lacks."""
    cells = one_chunk(values)
    if pa.types.is_integer(cells.type):
        return _mapped(cells, numbers)
    if pa.types.is_struct(cells.type.value_type):
        elements = cells.flatten()
        kinds = list(elements.type)
        fields = elements.flatten()
        fields[1] = _mapped(fields[1], numbers)
        return _list_of(cells, pa.StructArray.from_arrays(fields, fields=kinds))
    tags = _list_of(cells, _mapped(cells.flatten(), numbers)).to_pylist()
    return pa.array([None if t is None else sorted(set(t)) for t in tags], cells.type)


def _mapped(slots: pa.Array, numbers: Any) -> pa.Array:
    known = slots.drop_null().to_numpy()
    if len(known) and not 0 <= known.min() <= known.max() < len(numbers):
        raise Damaged(
            f"there is a cell without a label: {known.max()} of {len(numbers)}",
            hint="Run `sw2 fsck` to list everything that is damaged",
        )
    return pa.array(numbers, pa.int32()).take(slots)


def _names(slots: pa.Array, labels: Labels) -> pa.Array:
    _check_slots(slots, labels)
    return pa.array(labels.slots, pa.string()).take(slots)


def _decode_category(slots: pa.Array, labels: Labels) -> pa.Array:
    """The live labels in order, then the retired ones that occur: an old version may have some, or
    a merge with somebody who used one."""
    if labels.live == tuple(range(len(labels.slots))):
        _check_slots(slots, labels)
        return pa.DictionaryArray.from_arrays(slots, pa.array(labels.slots, pa.string()))
    _check_slots(slots, labels)
    gone = sorted(set(pc.unique(slots).drop_null().to_pylist()) - set(labels.live))
    shown = [*labels.live, *gone]
    places = np.full(len(labels.slots), -1, np.int32)
    places[shown] = np.arange(len(shown))
    names = [labels.slots[slot] for slot in shown]
    return pa.DictionaryArray.from_arrays(_mapped(slots, places), pa.array(names, pa.string()))


def _check_slots(slots: pa.Array, labels: Labels) -> None:
    bounds = pc.min_max(slots).as_py()
    if bounds["min"] is not None and not 0 <= bounds["min"] <= bounds["max"] < len(labels.slots):
        raise Damaged(
            f"column `{labels.column}` has a cell without a label: {bounds['max']} of "
            f"{len(labels.slots)}",
            hint="Run `sw2 fsck` to list everything that is damaged",
        )


def _encode_category(values: pa.Array | pa.ChunkedArray, labels: Labels) -> Any:
    if pa.types.is_dictionary(values.type):
        values = values.cast(pa.string())
    if not pa.types.is_null(values.type) and not pa.types.is_string(values.type):
        names = [labels.slots[slot] for slot in labels.live]
        known = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
        raise InvalidInput(
            f"column `{labels.column}` takes label names, not {values.type}",
            hint=f"Its labels: {known}",
        )
    names = pa.array([labels.slots[slot] for slot in labels.live], pa.string())
    codes = pc.index_in(values.cast(pa.string()), names)
    unknown = pc.and_(pc.is_valid(values), pc.is_null(codes))
    if pc.any(unknown).as_py():
        unfit = labels.unknown(values.filter(unknown)[0].as_py())
        raise InvalidInput(unfit.what, hint=unfit.remedy)
    if labels.live == tuple(range(len(labels.slots))):
        return codes
    return pa.array(labels.live, pa.int32()).take(one_chunk(codes))


def _encoded(kind: str, cells: Iterable[Any], labels: Labels) -> list[Any]:
    numbers = labels.numbers()
    encoded: list[Any] = []
    for row, cell in enumerate(cells):
        try:
            if cell is None:
                encoded.append(None)
            elif kind == "json":
                encoded.append(_json(cell))
            elif kind == "tags":
                encoded.append(_tags(cell, numbers, labels))
            else:
                encoded.append(_elements(cell, SHAPES[kind], numbers, labels))
        except Unfit as unfit:
            where = f"column `{labels.column}`, cell {row}"
            raise InvalidInput(f"{where}: {unfit.what}", hint=unfit.remedy) from None
    return encoded


def _json(cell: Any) -> str:
    try:
        if isinstance(cell, str):
            json.loads(cell, parse_constant=_no_constant)
            return cell
        return canonical(cell)
    except (ValueError, TypeError, RecursionError) as error:
        raise Unfit(f"{_shown(cell)} is not JSON: {error}", "Give JSON, a dict or a list") from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} has no place in it")


# Made once: `json.dumps` makes one for each value, which takes longer than to write a box.
_ENCODER = json.JSONEncoder(
    sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
)


def canonical(value: Any) -> str:
    """JSON text that is the same for the same value. Raises ValueError or TypeError."""
    return _ENCODER.encode(value)


def _tags(cell: Any, numbers: Mapping[str, int], labels: Labels) -> list[int]:
    if not isinstance(cell, list | tuple | set | frozenset):
        raise Unfit(f"{_shown(cell)} is no list of labels", "Give a list of label names")
    return sorted({_label(name, numbers, labels) for name in cell})


def _label(name: Any, numbers: Mapping[str, int], labels: Labels) -> int:
    slot = numbers.get(name) if isinstance(name, str) else None
    if slot is None:
        raise labels.unknown(name)
    return slot


def _elements(
    cell: Any, shape: Shape, numbers: Mapping[str, int], labels: Labels
) -> list[dict[str, Any]]:
    """Elements that fit, each with an id that no other has; of equal ones the first."""
    if not isinstance(cell, list | tuple):
        raise Unfit(f"{_shown(cell)} is no list of elements", "Give a list of dicts")
    found: dict[str, dict[str, Any]] = {}
    for place, given in enumerate(cell):
        try:
            element = _element(given, shape, numbers, labels)
            identity = given.get("id")
            if identity is None:
                identity = _new_id(given.get("label"), element, found)
            elif not isinstance(identity, str) or not identity:
                raise Unfit(f"`id` is {_shown(identity)}", "Give text, or leave the id out")
            elif identity in found and _content(found[identity]) != _content(element):
                raise Unfit(f"`id` is {identity}, as that of another", "Give each its own id")
            found.setdefault(identity, {"id": identity, **element})
        except Unfit as unfit:
            raise Unfit(f"element {place}: {unfit.what}", unfit.remedy) from None
    return list(found.values())


def _element(
    given: Any, shape: Shape, numbers: Mapping[str, int], labels: Labels
) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise Unfit(f"{_shown(given)} is no element", f"Give a dict of {', '.join(shape.names)}")
    for name, value in given.items():
        # None: Arrow gives every element the fields of all.
        if value is not None and name not in shape.fields and name not in ("id", "label"):
            raise Unfit(f"there is no field `{name}`", f"Its fields: {', '.join(shape.names)}")
    name = given.get("label")
    element = {"label": None if name is None else _label(name, numbers, labels)}
    for field, (_, fit) in shape.fields.items():
        try:
            element[field] = fit(given.get(field))
        except Unfit as unfit:
            raise Unfit(f"`{field}` is {unfit.what}", unfit.remedy) from None
    shape.whole(element)
    return element


def _new_id(label: Any, element: Mapping[str, Any], taken: Mapping[str, Mapping[str, Any]]) -> str:
    """Of what the element says, not of its label's slot: others may number labels otherwise."""
    content = canonical([label, {**element, "label": None}])
    again = ""
    while True:
        identity = blake3((content + again).encode()).hexdigest()[:8]
        if identity not in taken or _content(taken[identity]) == _content(element):
            return identity
        again += "+"


def _content(element: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in element.items() if name != "id"}


def _shown(value: object) -> str:
    text = "missing" if value is None else repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _list_of(cells: pa.Array, values: pa.Array) -> pa.Array:
    """Lists as long as `cells`' with other values (all of them, in order)."""
    lengths = pc.fill_null(pc.list_value_length(cells), 0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    mask = cells.is_null() if cells.null_count else None
    return pa.ListArray.from_arrays(pa.array(offsets), values, mask=mask)
