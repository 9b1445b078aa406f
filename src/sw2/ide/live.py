"""News for open pages: server-sent events when something changed, here or in another process."""

import asyncio
from collections.abc import AsyncIterator

from sw2.build import builds
from sw2.errors import Sw2Error
from sw2.ide.builder import find, info
from sw2.ide.schema import ServerEvent
from sw2.ide.workbench import Workbench

POLL_SECONDS = 0.4
# Comments keep proxies and the browser from closing a quiet stream.
QUIET_SECONDS = 15.0


Seen = tuple[str, tuple[object, ...]]


async def look(bench: Workbench) -> Seen:
    """The running build's id ("" without), and a stamp that changes when the repository does."""
    return await asyncio.to_thread(_look, bench)


async def stream(bench: Workbench, before: Seen) -> AsyncIterator[str]:
    """What happens after `before`: `hello` first, `session` after each change, `build` while one
    runs and when it ends.

    Each page looks for itself: the state is in files, which other processes change as well."""
    (told_build, seen), quiet = before, 0.0
    yield _event(ServerEvent(type="hello"))
    while True:
        running, stamp = await look(bench)
        if running:
            yield _event(await asyncio.to_thread(_build, bench, running))
        if told_build and running != told_build:
            yield _event(await asyncio.to_thread(_build, bench, told_build))
        told_build = running
        if stamp != seen:
            yield _event(await asyncio.to_thread(_session, bench))
            seen, quiet = stamp, 0.0
        elif (quiet := quiet + POLL_SECONDS) >= QUIET_SECONDS:
            quiet = 0.0
            yield ": still here\n\n"
        await asyncio.sleep(POLL_SECONDS)


def _look(bench: Workbench) -> Seen:
    state = bench.repository.state
    found = builds(bench.repository)
    running = next((build.id for build in found if build.status == "running"), "")
    states = tuple((build.id, build.status) for build in found)
    return running, (bench.repository.head, state.stamp(), states)


def _build(bench: Workbench, build_id: str) -> ServerEvent:
    build = find(bench.repository, build_id)
    return ServerEvent(type="build", build=info(bench.repository, build) if build else None)


def _session(bench: Workbench) -> ServerEvent:
    try:
        return ServerEvent(type="session", session=bench.session())
    except Sw2Error:
        # The page asks for the session itself then, and shows the error in its place.
        return ServerEvent(type="session")


def _event(event: ServerEvent) -> str:
    return f"event: {event.type}\ndata: {event.model_dump_json()}\n\n"
