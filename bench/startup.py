"""What starting costs: `import sw2` and `sw2 --help`, as whole processes, in CPU time."""

import os
import statistics
import subprocess
import sys
from collections.abc import Iterable

from _bench import Figure, Options, run

RUNS = 15


def cpu_ms(command: list[str], runs: int) -> float:
    """Median CPU time of whole processes, user and system, in ms; the first run warms the disk."""
    spent = []
    for _ in range(runs + 1):
        before = os.times()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = os.times()
        used = after.children_user + after.children_system
        spent.append(used - before.children_user - before.children_system)
    return statistics.median(spent[1:]) * 1000


def measure(options: Options) -> Iterable[Figure]:
    runs = 5 if options.quick else RUNS
    python = [sys.executable, "-c"]
    yield Figure("python alone", cpu_ms([*python, "pass"], runs), "ms CPU")
    yield Figure("import sw2", cpu_ms([*python, "import sw2"], runs), "ms CPU", bar=150)
    helped = [*python, "from sw2.cli import main; main(['--help'])"]
    yield Figure("sw2 --help", cpu_ms(helped, runs), "ms CPU", bar=250)


if __name__ == "__main__":
    sys.exit(run(__doc__ or "", measure))
