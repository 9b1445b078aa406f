"""How branches part and meet, drawn beside a log: one lane for each line of history."""

from collections.abc import Iterator, Sequence


def drawn(commits: Sequence[tuple[str, Sequence[str]]], lines: Sequence[str]) -> Iterator[str]:
    """`lines`, one for each commit (name, parents; children before parents), with their lanes.

    A lane is the name of the commit that it leads to."""
    listed = {name for name, _ in commits}
    lanes: list[str] = []
    for (name, parents), line in zip(commits, lines, strict=True):
        if name not in lanes:
            lanes.append(name)
        at = lanes.index(name)
        marks = ["*" if lane == at else "|" for lane in range(len(lanes))]
        yield f"{' '.join(marks)}  {line}"
        followed = [parent for parent in parents if parent in listed]
        lanes[at : at + 1] = followed[:1]
        if not followed and at < len(lanes):
            yield "| " * at + " " + " ".join("/" * (len(lanes) - at))
        for parent in followed[1:]:
            lanes.insert(at + 1, parent)
            yield "| " * at + "|" + " ".join("\\" * (len(lanes) - at - 1))
        for lane in reversed(range(len(lanes))):
            if lanes[lane] in lanes[:lane]:
                yield from _joined(lanes.index(lanes[lane]), lane, len(lanes) - lane - 1)
                del lanes[lane]


def _joined(into: int, lane: int, right: int) -> Iterator[str]:
    """A lane that moves left until it meets another; those right of it move by one."""
    yield "| " * (lane - 1) + "|/" + " /" * right
    for step in range(lane - 1, into, -1):
        yield "| " * (step - 1) + "|/|" + " |" * (lane - 1 - step + right)
