"""Revisions, spelt as git spells them, and the points in time that some of them name.

    HEAD  @  BRANCH  TAG  4 or more digits of a commit  - (the branch that was left last)

each followed by any number of `~N`, `^`, `^N` and, after a branch, HEAD or nothing (the branch that
is checked out), `@{N}` or `@{WHEN}`."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from sw2.errors import InvalidInput, NotFound
from sw2.repo.commits import Commit
from sw2.values import now_ms

if TYPE_CHECKING:
    from sw2.repo.ledger import Ledger
    from sw2.repo.state import Move

SHORTEST = 4
TAGS, STASH = "tags/", "stash/"
STEPS = re.compile(r"~(\d*)|\^(\d*)|@\{([^}]*)\}")
# Of a switch, in the reflog of HEAD.
SWITCHED = re.compile(r"switch: (\S+) -> (\S+)")
DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}
SECONDS = {"second": 1, "minute": 60, "hour": 3600} | {k: v * 86_400 for k, v in DAYS.items()}


def resolve(ledger: "Ledger", rev: str) -> Commit:
    """The commit that `rev` names. Raises NotFound, telling what there is, and InvalidInput for
    what is no revision."""
    begin = re.match(r"[^~^@]+|@(?!\{)", rev)
    name = begin[0] if begin else ""
    at, commit = len(name), None
    while at < len(rev):
        step = STEPS.match(rev, at)
        if step is None:
            raise InvalidInput(
                f"`{rev}` is no revision from `{rev[at:]}` on",
                hint="Such as `main~2`, `HEAD^2`, `HEAD@{yesterday}`, `HEAD@{1}`",
            )
        at = step.end()
        if step[3] is not None:
            if commit is not None:
                raise InvalidInput(f"`{rev}`: `@{{…}}` goes after a branch or HEAD")
            commit = ledger.load_commit(_moved(ledger, name, step[3]))
        else:
            commit = _older(ledger, commit or ledger.load_commit(_start(ledger, name)), step, rev)
    return commit or ledger.load_commit(_start(ledger, name))


def check_name(name: str) -> None:
    """Raises InvalidInput for what cannot name a branch or a tag."""
    bad = re.search(r"[\s~^:?*\[\\@{}\x00-\x1f\x7f]|\.\.|//|^[-./]|[./]$|\.lock$", name)
    if bad or not name or name == "HEAD" or name.startswith((TAGS, STASH)):
        raise InvalidInput(
            f"`{name}` cannot name a branch or a tag" + (f": `{bad[0]}` in it" if bad else ""),
            hint="Use letters, digits, `-`, `_`, `.` and `/`, such as `relabel-coats`",
        )


def branches(ledger: "Ledger") -> dict[str, str]:
    """Branches and the commits they point to."""
    refs = ledger.state.refs()
    return {name: to for name, to in refs.items() if not name.startswith((TAGS, STASH))}


def tags(ledger: "Ledger") -> dict[str, str]:
    """Tags and the commits they name."""
    refs = ledger.state.refs()
    return {n.removeprefix(TAGS): to for n, to in refs.items() if n.startswith(TAGS)}


def reflog(ledger: "Ledger", ref: str = "HEAD") -> list["Move"]:
    """The moves of a branch, newest first; of HEAD: those of whichever branch was checked out."""
    moves = ledger.state.moves()
    if ref != "HEAD":
        return [move for move in moves if move.ref == ref]
    branch, found = ledger.branch, []
    for move in moves:
        if move.ref == "HEAD":
            found.append(move)
            switched = SWITCHED.match(move.why)
            branch = switched[1] if switched else branch
        elif move.ref == branch:
            found.append(move)
    return found


def previous_branch(ledger: "Ledger") -> str:
    """The branch that was left last. Raises NotFound when none was."""
    for move in ledger.state.moves():
        if move.ref == "HEAD" and (switched := SWITCHED.match(move.why)):
            return switched[1]
    raise NotFound("no branch was left yet", hint="Name one; `sw2 branch` lists them")


def when(text: str, now: int | None = None) -> int:
    """A point in time in words, as ms since 1970: `yesterday`, `2 days ago`, `2026-11-20`,
    `2026-11-20 13:45` (local time). Raises InvalidInput for other words."""
    now = now_ms() if now is None else now
    words = re.sub(r"[\s._]+", " ", text.strip().lower()) if not text[:4].isdigit() else text
    fixed = {
        "now": 0,
        "today": 0,
        "yesterday": 1,
        "last week": 7,
        "last month": 30,
        "last year": 365,
    }
    if words in fixed:
        return now - fixed[words] * 86_400_000
    if match := re.fullmatch(
        r"(\d+|an?|one) (second|minute|hour|day|week|month|year)s?( ago)?", words
    ):
        number = int(match[1]) if match[1].isdigit() else 1
        return now - int(timedelta(seconds=number * SECONDS[match[2]]).total_seconds() * 1000)
    try:
        return int(datetime.fromisoformat(text.strip()).timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(
            f"`{text}` is no point in time",
            hint="Such as `yesterday`, `3 hours ago`, `2026-11-20` or `2026-11-20 13:45`",
        ) from error


def ancestors(ledger: "Ledger", starts: Iterable[str]) -> Iterator[Commit]:
    """The commits named and all before them, each once, newest first (by their time)."""
    seen: set[str] = set()
    waiting: list[tuple[int, str, Commit]] = []

    def add(name: str) -> None:
        if name not in seen:
            seen.add(name)
            commit = ledger.load_commit(name)
            heappush(waiting, (-commit.at, name, commit))

    for name in starts:
        add(name)
    while waiting:
        _, _, commit = heappop(waiting)
        for parent in commit.parents:
            add(parent)
        yield commit


def _older(ledger: "Ledger", commit: Commit, step: re.Match[str], rev: str) -> Commit:
    if step[1] is not None:
        for _ in range(int(step[1] or 1)):
            commit = _parent(ledger, commit, 1, rev)
        return commit
    number = int(step[2] or 1)
    return _parent(ledger, commit, number, rev) if number else commit


def _parent(ledger: "Ledger", commit: Commit, number: int, rev: str) -> Commit:
    if len(commit.parents) < number:
        what = f"commit {commit.short} has {len(commit.parents)} parents"
        why = f"`{rev}`: {what}" if commit.parents else f"`{rev}` is before the first commit"
        raise NotFound(why, hint="See `sw2 log --graph`")
    return ledger.load_commit(commit.parents[number - 1])


def _start(ledger: "Ledger", name: str) -> str:
    if name in ("HEAD", "@"):
        if ledger.head is None:
            raise NotFound("nothing is committed yet", hint="Run `sw2 commit -m MESSAGE`")
        return ledger.head
    refs = ledger.state.refs()
    for ref in (previous_branch(ledger) if name == "-" else name, TAGS + name):
        if ref in refs:
            return refs[ref]
    if re.fullmatch(f"[0-9a-f]{{{SHORTEST},64}}", name):
        found = _beginning(ledger, name)
        if len(found) == 1:
            return found[0]
        if found:
            raise NotFound(
                f"`{name}` is the beginning of {len(found)} commits", hint="Give more digits"
            )
    named = [ref.removeprefix(TAGS) for ref in refs if not ref.startswith(STASH)]
    raise NotFound(
        f"there is no revision `{name}`",
        hint="See `sw2 log`; branches and tags: " + (", ".join(named) or "none yet"),
    )


def _beginning(ledger: "Ledger", digits: str) -> list[str]:
    """Commits whose name begins so, among those that a ref or the reflog leads to."""
    starts = set(ledger.state.refs().values())
    starts |= {name for move in ledger.state.moves() for name in (move.old, move.new) if name}
    there = [name for name in sorted(starts) if ledger.store.has(name)]
    return [c.name for c in ancestors(ledger, there) if c.name.startswith(digits)]


def _moved(ledger: "Ledger", name: str, which: str) -> str:
    """Where a ref pointed so many moves, or so long, ago."""
    ref = "HEAD" if name == "@" else name or ledger.branch
    moves = reflog(ledger, ref)
    if not moves:
        raise NotFound(f"there is no record of `{name}`", hint="See `sw2 reflog`")
    if re.fullmatch(r"\d+", which):
        number = int(which)
        if number < len(moves):
            return moves[number].new
        if number == len(moves) and moves[-1].old:
            return moves[-1].old
        raise NotFound(f"`{name}` moved only {len(moves)} times", hint="See `sw2 reflog`")
    at = when(which)
    for move in moves:
        if move.at <= at:
            return move.new
    raise NotFound(f"the record of `{ref}` begins after {which}", hint="See `sw2 reflog`")
