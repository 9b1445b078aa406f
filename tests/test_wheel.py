"""The wheel is the product: it carries the page and the sample, and runs programs without torch."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, ROOT)
    return next(folder.glob("sw2-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The `bin` folder of an empty environment with the wheel and its core dependencies."""
    folder = tmp_path_factory.mktemp("empty") / "venv"
    run(sys.executable, "-m", "venv", folder)
    constraints = ROOT / "constraints.txt"
    run(folder / "bin" / "pip", "install", "--quiet", "-c", constraints, wheel)
    return folder / "bin"


def test_it_carries_the_page_the_sample_and_its_licence(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "sw2/ide/static/index.html" in names
    assert any(name.startswith("sw2/ide/static/assets/") for name in names)
    assert {"sw2/demo/data/fashion-5000.zip", "sw2/demo/data/LICENSE-fashion-mnist.txt"} <= names
    assert not [name for name in names if name.startswith(("web/", "tests/"))]


def test_the_source_archive_can_build_the_page(tmp_path):
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path, cwd=ROOT)
    with tarfile.open(next(tmp_path.glob("sw2-*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"hatch_build.py", "web/package-lock.json", "web/src/main.tsx", "LICENSE"} <= names
    assert not [name for name in names if name.startswith(("web/node_modules/", ".venv/"))]


def test_no_other_node_than_the_wheels_own_is_asked(tmp_path):
    """A machine's own Node may be years old: this one only fails, and stands first in PATH."""
    for name in ("node", "npm", "npx"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 99\n")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    types = [sys.executable, ROOT / "hatch_build.py", "types"]
    subprocess.run(types, check=True, env={**os.environ, "PATH": path})


def test_an_empty_environment_runs_a_program_without_torch(installed, small_program, tmp_path):
    picture = tmp_path / "picture.png"
    shutil.copy(small_program.with_name("picture.png"), picture)
    assert "torch" not in run(installed / "pip", "list")
    answer = run(installed / "sw2", "run", small_program, picture)
    assert answer.startswith(f"{picture}: ")


def test_building_without_torch_says_what_to_install(installed, tmp_path):
    run(installed / "sw2", "demo", "shop", "--no-ide", cwd=tmp_path)
    refused = subprocess.run(
        [installed / "sw2", "build"], cwd=tmp_path / "shop", capture_output=True, text=True
    )
    assert refused.returncode == 1
    assert "pip install 'sw2[build]'" in refused.stderr


@pytest.fixture(scope="module")
def small_program(tmp_path_factory) -> Path:
    """A program built from a few pictures of the sample, and one of them beside it."""
    folder = tmp_path_factory.mktemp("program")
    with zipfile.ZipFile(ROOT / "src/sw2/demo/data/fashion-5000.zip") as archive:
        lines = archive.read("labels.csv").decode().splitlines()
        chosen = [lines[0], *lines[1:200], *lines[-60:]]
        for line in chosen[1:]:
            archive.extract(line.split(",")[0], folder)
    (folder / "labels.csv").write_text("\n".join(chosen) + "\n")
    sw2 = Path(sys.executable).parent / "sw2"
    run(sw2, "init", cwd=folder)
    (folder / "sw2.toml").write_text("[build]\nepochs = 1\n")
    run(sw2, "add", "pictures", "--labels", "labels.csv", cwd=folder)
    run(sw2, "commit", "-m", "Import", cwd=folder)
    run(sw2, "build", cwd=folder)
    program = next(folder.glob(".sw2/builds/*/program.sw2b"))
    shutil.copy(folder / chosen[1].split(",")[0], program.with_name("picture.png"))
    return program
