"""A small real repository: some pictures of the sample, some of whose labels are wrong."""

import csv
import io
import json
import signal
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from sw2.demo import ANSWER_KEY
from sw2.formats import add_pictures
from sw2.repo import Repository

DATA = Path(str(resources.files("sw2.demo"))) / "data"
SPEC = '[program]\nname = "shop"\n\n[build]\nepochs = {epochs}\n'


def answers() -> dict[str, str]:
    """The right label of each planted error of the whole sample."""
    with (DATA / ANSWER_KEY).open(newline="") as file:
        return {row["path"]: row["true_label"] for row in csv.DictReader(file)}


def a_shop(folder: Path, count: int = 320, tests: int = 80, epochs: int = 4) -> Repository:
    """`count` training pictures, 24 of them mislabelled, and `tests` test pictures; committed."""
    with zipfile.ZipFile(DATA / "fashion-5000.zip") as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("labels.csv").decode())))
        chosen = _choose(rows, count, tests)
        folder.mkdir(parents=True)
        for row in chosen:
            archive.extract(row["path"], folder)
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["path", "label", "split"])
        writer.writeheader()
        writer.writerows(chosen)
    repository = Repository.init(folder, "shop")
    (folder / "sw2.toml").write_text(SPEC.format(epochs=epochs))
    add_pictures(repository, folder / "pictures", folder / "labels.csv")
    _write_key(repository, {row["path"] for row in chosen})
    repository.commit("Import", "Ann")
    return repository


def _choose(rows: list[dict[str, str]], count: int, tests: int) -> list[dict[str, str]]:
    wrong = answers()
    planted = [row for row in rows if row["path"] in wrong][:24]
    sound = [row for row in rows if row["split"] == "train" and row["path"] not in wrong]
    held_out = [row for row in rows if row["split"] == "test"]
    return planted + sound[: count - len(planted)] + held_out[:tests]


def _write_key(repository: Repository, paths: set[str]) -> None:
    with (DATA / ANSWER_KEY).open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["path"] in paths]
    with (repository.folder / ANSWER_KEY).open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@dataclass
class Server:
    """`sw2 ide` on a folder, a real process; it can be killed and started again on its port."""

    folder: Path
    port: int = 0
    killed: bool = False

    def start(self) -> "Server":
        command = [Path(sys.executable).parent / "sw2", "-C", self.folder, "ide", "--no-browser"]
        options = ["--json", "--author", "Ann", "--port", str(self.port)]
        self.process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        told = ""
        for line in self.process.stdout:
            told += line
            if line.startswith("}"):
                break
        self.url = json.loads(told)["url"]
        self.port = json.loads(told)["port"]
        return self

    @property
    def token(self) -> str:
        return self.url.split("token=")[1]

    def kill(self) -> None:
        self.killed = True
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()
