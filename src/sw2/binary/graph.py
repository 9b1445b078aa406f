"""Looks into graph.onnx before onnxruntime does: which operators, which weights, nothing else.

A graph from a stranger may name files on this machine as its weights, or hold loops that never end.
Both are refused here, by reading the few protobuf fields that matter (onnx.proto, IR version 8)
without the onnx package."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sw2.errors import Damaged

# No loops, no branches, no strings, nothing that allocates by a value in the data.
OPERATORS = frozenset(
    {"Add", "AveragePool", "BatchNormalization", "Cast", "Clip", "Concat", "Conv", "Div", "Flatten"}
    | {"Gemm", "GlobalAveragePool", "Identity", "LeakyRelu", "MatMul", "MaxPool", "Mul", "Relu"}
    | {"Reshape", "Sigmoid", "Softmax", "Sub", "Tanh", "Transpose"}
)
MODEL_GRAPH, MODEL_TRAINING, MODEL_FUNCTIONS = 7, 20, 25
GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_SPARSE = 1, 5, 15
NODE_OPERATOR, NODE_ATTRIBUTE, NODE_DOMAIN = 4, 5, 7
# Names, numbers and strings: no tensors, no graphs.
ATTRIBUTE_PLAIN = frozenset({1, 2, 3, 4, 7, 8, 9, 13, 20, 21})
TENSOR_NAME, TENSOR_EXTERNAL, TENSOR_LOCATION = 8, 13, 14


@dataclass(frozen=True, slots=True)
class Summary:
    """operators: how many of each.  external: names of the weights that lie outside the graph."""

    operators: dict[str, int]
    external: frozenset[str]


def summarise(raw: bytes) -> Summary:
    """Raises Damaged when the graph is malformed or holds what a program may not hold."""
    graphs = [value for number, value in fields(memoryview(raw)) if number == MODEL_GRAPH]
    numbers = {number for number, _ in fields(memoryview(raw))}
    if len(graphs) != 1 or numbers & {MODEL_TRAINING, MODEL_FUNCTIONS}:
        raise Damaged("graph.onnx holds functions or training, or not exactly one graph")
    operators: Counter[str] = Counter()
    external: set[str] = set()
    for number, value in fields(message(graphs[0])):
        if number == GRAPH_NODE:
            operators[operator(message(value))] += 1
        elif number == GRAPH_INITIALIZER:
            external |= external_name(message(value))
        elif number == GRAPH_SPARSE:
            raise Damaged("graph.onnx holds sparse weights")
    return Summary(dict(sorted(operators.items())), frozenset(external))


def operator(node: memoryview) -> str:
    name = domain = ""
    for number, value in fields(node):
        if number == NODE_OPERATOR:
            name = text(value)
        elif number == NODE_DOMAIN:
            domain = text(value)
        elif number == NODE_ATTRIBUTE:
            odd = {n for n, _ in fields(message(value))} - ATTRIBUTE_PLAIN
            if odd:
                raise Damaged(f"graph.onnx: an attribute holds tensors or graphs (field {odd})")
    if domain not in ("", "ai.onnx") or name not in OPERATORS:
        raise Damaged(
            f"graph.onnx uses the operator `{domain}:{name}`",
            hint=f"A program may use {', '.join(sorted(OPERATORS))}",
        )
    return name


def external_name(tensor: memoryview) -> set[str]:
    name, outside = "", False
    for number, value in fields(tensor):
        if number == TENSOR_NAME:
            name = text(value)
        elif number in (TENSOR_EXTERNAL, TENSOR_LOCATION):
            outside = outside or value != 0
    return {name} if outside else set()


def fields(raw: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The (number, value) pairs of one protobuf message; only varints are decoded."""
    at = 0
    while at < len(raw):
        key, at = varint(raw, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = varint(raw, at)
            yield number, value
            continue
        if wire == 2:
            size, at = varint(raw, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise Damaged(f"graph.onnx is malformed: wire type {wire}")
        if at + size > len(raw):
            raise Damaged("graph.onnx is cut short")
        yield number, raw[at : at + size]
        at += size


def varint(raw: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(raw):
            break
        byte = raw[at]
        value, at = value | (byte & 0x7F) << shift, at + 1
        if byte < 0x80:
            return value, at
    raise Damaged("graph.onnx is malformed: a number does not end")


def message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise Damaged("graph.onnx is malformed: a number where a message belongs")
    return value


def text(value: int | memoryview) -> str:
    return bytes(message(value)).decode(errors="replace")
