"""Progress of long work, as plain events: the terminal draws a bar, the IDE sends them on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Event:
    """stage: what is being done, one or two words.  done, total: units of work (total None when
    unknown).  metrics: figures worth showing live, such as loss and accuracy."""

    stage: str
    done: int = 0
    total: int | None = None
    message: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)


Progress = Callable[[Event], None]


def silent(event: Event) -> None:
    """Ignores every event."""
