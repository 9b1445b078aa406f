"""What does a version of a table cost: to make, to keep, to read, to compare and to merge?

    python bench/versioning.py [--quick] [--json]

Input, from a seed: 1,000,000 rows x 6 columns. An edit changes four columns (label, annotator,
confidence, updated_at) of one scattered row. Times are CPU, user and system, of a step alone, in a
process that has its modules loaded and has read nothing before unless the figure says warm; those
of the programs it runs are counted. Medians where there are several. Bytes are of all of `.sw2` but
its cache, which may be deleted at any time.

Peers do the nearest equivalent, each in the fastest way that its documentation gives. Those that
keep files (git, git-lfs, DVC, Oxen) get a CSV; the writing of it is not counted, in their favour.
The number of commits beside the name of a peer is how many it has made, where they are fewer.
Exits 1 when a figure misses its bar."""

import json
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _bench import Figure, Options, peer, run

EARLY, LATE, QUICK = 50, 1_000, 128
BIG, BIG_ROWS = "10,000,000 rows", 10_000_000
PEERS: dict[str, tuple[str, ...]] = {
    "doltlite": ("doltlite==0.51.3", "numpy"),
    "lance": ("pylance==14.0.2", "numpy"),
    "git": (),
    "git-lfs": (),
    "dvc": ("dvc==3.67.1", "numpy", "pyarrow"),
    "oxen": ("oxenai==0.65.1", "numpy", "pyarrow"),
}


@dataclass(frozen=True)
class Beside:
    """What the peers told."""

    told: Mapping[str, Mapping[str, Any]]

    def of(self, key: str) -> dict[str, float | str]:
        return {
            self._name(name): found.get(key, found.get("skipped", "not measured"))
            for name, found in self.told.items()
        }

    def _name(self, name: str) -> str:
        commits = self.told[name].get("commits", LATE)
        return name if commits == LATE else f"{name} ({commits} commits)"


def measure(options: Options) -> Iterator[Figure]:
    peers = Beside(
        {
            name: peer(name, wanted, Path(__file__), "--peer", name)
            for name, wanted in ({} if options.quick else PEERS).items()
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        yield from of_import(base, peers)
        yield from of_edits(base, peers)
        yield from of_merge(base, peers)
        if not options.quick:
            yield from of_many_rows(Path(folder))
        commits, repeats = (QUICK, 1) if options.quick else (LATE, 5)
        yield from of_history(base, commits, repeats, peers)


def of_import(base: Path, peers: Beside) -> Iterator[Figure]:
    from _versioning_data import ROWS
    from _versioning_own import step

    file = base.with_name("input.arrow")
    step("input", file, ROWS)
    told = step("import", base, file)
    yield Figure("import of 1,000,000 rows", told["import"], "CPU s", 1, peers.of("import"))
    yield Figure("peak memory of the import", told["rss"], "MiB", 300)
    yield Figure("store of 1,000,000 rows", told["store"], "MB", 9, peers.of("store"))


def of_edits(base: Path, peers: Beside) -> Iterator[Figure]:
    from _versioning_own import copied, step

    told = step("edits", copied(base, "edits"))
    few, many = told["few"], told["many"]
    yield Figure("200 edits and commit, warm", few["ms"], "CPU ms", 20, peers.of("few"))
    yield Figure("bytes of 200 edits", few["bytes"], "bytes", 4096, peers.of("few_bytes"))
    yield Figure("1,000 edits and commit, warm", many["ms"], "CPU ms", None, peers.of("many"))
    yield Figure("bytes of 1,000 edits", many["bytes"], "bytes", 12_288, peers.of("many_bytes"))
    yield Figure("diff of 1,000 rows, warm", told["diff"], "CPU ms", 30, peers.of("diff"))


def of_many_rows(folder: Path) -> Iterator[Figure]:
    from _versioning_own import step

    root, file = folder / "big", folder / "big.arrow"
    step("input", file, BIG_ROWS)
    made = step("import", root, file)
    told = step("commits", root, BIG_ROWS)
    yield Figure(f"import of {BIG}", made["import"], "CPU s")
    yield Figure(f"200 edits and commit at {BIG}, warm", told["ms"], "CPU ms", 25)
    yield Figure(f"bytes of 200 edits at {BIG}", told["bytes"], "bytes", 4608)


def of_merge(base: Path, peers: Beside) -> Iterator[Figure]:
    from _versioning_data import SHARED
    from _versioning_own import copied, step

    told = step("merge", copied(base, "merge"))
    beside = {key: peers.of(key) for key in ("merge", "conflicts", "joined")}
    yield Figure("merge of 2 x 1,000 edits, warm", told["ms"], "CPU ms", 50, beside["merge"])
    for key in ("conflicts", "joined"):
        yield Figure(f"rows of it: {key}", told[key], "", SHARED, beside[key], exactly=True)
    yield Figure("cells of it that are wrong", told["wrong"], "", 0, exactly=True)


def of_history(base: Path, commits: int, repeats: int, peers: Beside) -> Iterator[Figure]:
    """What many commits of 200 edits lead to, with folding as in use."""
    from _versioning_own import copied, grown, program, step, typical

    root, after = copied(base, "history"), f"after {commits:,} commits"
    early = step("grow", root, 0, EARLY)
    seconds = typical(repeats, "read", "s", root, "HEAD")
    name = f"whole table to Arrow, after {EARLY} commits"
    yield Figure(name, seconds, "CPU s", 0.4, peers.of("early"))
    late = grown(root, EARLY, commits)
    last = statistics.median(late["ms"][-EARLY:])
    yield Figure(f"200 edits and commit, {after}", last, "CPU ms", 20, peers.of("last"))
    head = typical(repeats, "read", "s", root, "HEAD")
    yield Figure(f"whole table to Arrow, {after}", head, "CPU s", 0.4, peers.of("read"))
    for place, back in (("first", commits), ("middle", commits // 2)):
        value = typical(repeats, "read", "s", root, f"HEAD~{back}") / head
        yield Figure(f"the same at the {place} version", value, "x head", 1.2, peers.of(place))
    value = step("count", root, commits // 2)["ms"]
    yield Figure("count by label at old versions, warm", value, "CPU ms", 50, peers.of("count"))
    value = typical(repeats, "compare", "ms", root, 5)
    yield Figure(f"diff of 5 commits, {after}", value, "CPU ms")
    value = typical(repeats, "blame", "s", root)
    yield Figure(f"blame of a column, {after}", value, "CPU s", 1, peers.of("blame"))
    for words in ("status", "log -5"):
        value, beside = program(repeats, root, *words.split()), peers.of(words.split()[0])
        yield Figure(f"sw2 {words}, whole process", value, "CPU s", 0.3, beside)
    made = early["bytes"] + late["bytes"]
    value = (made + late["folded"]) / made
    yield Figure("bytes written, by bytes of commits", value, "x", 3, peers.of("amplification"))
    yield Figure("peak memory of folding", late["rss"], "MiB", 300, peers.of("fold_rss"))
    yield Figure(f"folding, all of {commits:,} commits", late["s"], "CPU s")


def main() -> int:
    return run(__doc__ or "", measure)


def as_step(name: str, *arguments: str) -> None:
    from sw2.cli.terminal import without_pandas

    # sw2 does not need it, and the environments of the peers have none.
    without_pandas()
    from _versioning_own import STEPS

    print(json.dumps(STEPS[name](*arguments)))


def as_peer(name: str) -> None:
    from _versioning_files import PEERS as FILES
    from _versioning_peers import PEERS as ROWS

    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps((FILES | ROWS)[name](Path(folder))))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peer"]:
        as_peer(*sys.argv[2:])
    elif sys.argv[1:2] == ["--own"]:
        as_step(*sys.argv[2:])
    else:
        sys.exit(main())
