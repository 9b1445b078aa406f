"""The command line as the tests use it, and the small pictures that they feed it."""

import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from click.testing import CliRunner, Result
from PIL import Image

import sw2
from sw2.cli import main

ENTRY = [sys.executable, "-c", "from sw2.cli import main; main()"]


def environment(**settings: str) -> dict[str, str]:
    """For a process of its own: it finds this sw2 from whatever folder it starts in."""
    source = str(Path(sw2.__file__).resolve().parent.parent)
    return {**os.environ, "PYTHONPATH": source, "SW2_AUTHOR": "Ann", **settings}


def a_picture(across, seed, side=12):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 60, (side, side), dtype=np.uint8)
    at = int(rng.integers(2, side - 4))
    image[np.s_[at : at + 2, :] if across else np.s_[:, at : at + 2]] = 220
    out = io.BytesIO()
    Image.fromarray(image).save(out, "PNG")
    return out.getvalue()


@dataclass
class CommandLine:
    """run: in this process.  start: as a process of its own.  Both in `folder`."""

    folder: Path

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(main, ["-C", str(self.folder), *words])

    def ok(self, *words: str) -> str:
        result = self.run(*words)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *words: str):
        return json.loads(self.run(*words, "--json").stdout)

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*ENTRY, *words],
            cwd=self.folder,
            env=environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def pictures(self, folder: str, across: int = 0, down: int = 0) -> Path:
        root = self.folder / folder
        for label, number in (("across", across), ("down", down)):
            for at in range(number):
                file = root / label / f"{at}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                seed = hash((len(folder), label == "across", at)) % 2**32
                file.write_bytes(a_picture(label == "across", seed))
        return root
