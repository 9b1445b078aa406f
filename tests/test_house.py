"""The structure of the house: who may import whom, what is public, how large things may grow."""

import ast
import os
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from types import ModuleType

import pytest

import sw2
from sw2 import errors

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "sw2"
MODULES = sorted(SOURCE.rglob("*.py"))
# From the bottom up. Rooms in one set know nothing of each other.
LAYERS = [
    {"errors", "values"},
    {"__init__"},
    {"progress"},
    {"store"},
    {"table"},
    {"repo"},
    {"media", "votes"},
    {"query"},
    {"formats", "binary"},
    {"build"},
    {"insight"},
    {"demo"},
    {"ide"},
    {"cli"},
]
KNOWN = set().union(*LAYERS)
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb"}
READS_ENVIRONMENT = {"cli", "ide", "demo"}
FILE_LINES, FUNCTION_LINES, CLASS_METHODS = 800, 80, 25


def room(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def layer(name: str) -> int:
    return next(number for number, rooms in enumerate(LAYERS) if name in rooms)


def imported_rooms(tree: ast.Module) -> set[str]:
    """Rooms that a module imports, inside functions too; imports for type checkers are left out."""
    skipped = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and "TYPE_CHECKING" in ast.dump(branch.test)
        for statement in branch.body
        for node in ast.walk(statement)
    }
    names = []
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.ImportFrom) and node.module == "sw2":
            names += [f"sw2.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import hides which room it enters"
            names.append(node.module or "")
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    parts = [name.split(".") for name in names]
    rooms = {part[1] for part in parts if part[0] == "sw2" and len(part) > 1}
    return {name if name in KNOWN else "__init__" for name in rooms}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_point_down(path):
    own = room(path)
    for imported in imported_rooms(ast.parse(path.read_text())) - {own}:
        assert layer(imported) < layer(own), f"{own}/ must not import {imported}/"


def test_only_the_edges_read_the_environment():
    for path in MODULES:
        reads = [
            node
            for node in ast.walk(ast.parse(path.read_text()))
            if (isinstance(node, ast.Attribute) and node.attr in ENVIRONMENT)
            or (isinstance(node, ast.alias) and node.name in ENVIRONMENT)
        ]
        assert not reads or room(path) in READS_ENVIRONMENT, path


def test_public_names_are_deliberate():
    assert sw2.__all__ == sorted(sw2.__all__, key=str.casefold)
    found = [n for n, v in vars(sw2).items() if n[0] != "_" and not isinstance(v, ModuleType)]
    assert set(found) - {"TYPE_CHECKING", "Any", "import_module"} <= set(sw2.__all__)
    for name in sw2.__all__:
        assert getattr(sw2, name) is not None


def test_import_is_light():
    code = "import sys, sw2; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    heavy = [
        "torch",
        "pandas",
        "sklearn",
        "onnxruntime",
        "onnx",
        "pyarrow",
        "numpy",
        "fastapi",
        "PIL",
    ]
    assert not set(heavy) & set(loaded)


def test_nothing_is_pickled():
    for path in MODULES:
        imported = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").split(".")[0])
        assert not imported & {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}, path


def test_nothing_is_unpickled_by_a_loader():
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                options = {option.arg: ast.unparse(option.value) for option in node.keywords}
                assert options.get("allow_pickle") in (None, "False"), path
                if ast.unparse(node.func) == "torch.load":
                    assert options.get("weights_only") == "True", path


def tracked() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("only a checkout knows which files are its own")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for line in listed.stdout.splitlines() if (path := ROOT / line).is_file()]


def test_no_registry_is_named():
    hosts = [
        "pypi" + ".org",
        "python" + "hosted.org",
        "registry.npm" + "js.org",
        "registry.yarn" + "pkg.com",
        "download.py" + "torch.org",
        "deb.debian" + ".org",
        "ghcr" + ".io",
        "mcr.micro" + "soft.com",
    ]
    for path in tracked():
        raw = path.read_bytes()
        for host in hosts:
            assert host.encode() not in raw, f"{path.relative_to(ROOT)} names {host}"


def test_no_graphics_card_libraries_come_along():
    names = [d.metadata["Name"].lower() for d in distributions()]
    found = sorted(name for name in names if name.startswith("nvidia"))
    if found and not os.environ.get("CI"):
        pytest.skip("this torch is the build for graphics cards: gigabytes more, nothing else")
    assert not found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_things_stay_small(path):
    text = path.read_text()
    assert text.count("\n") <= FILE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or 0) - node.lineno
            assert size <= FUNCTION_LINES, f"{node.name} has {size} lines"
        if isinstance(node, ast.ClassDef):
            functions = ast.FunctionDef | ast.AsyncFunctionDef
            methods = [n for n in node.body if isinstance(n, functions)]
            assert len(methods) <= CLASS_METHODS, f"{node.name} has {len(methods)} methods"


def test_no_file_of_the_tests_the_tools_or_the_page_is_long():
    written = {".py", ".ts", ".tsx", ".css"}
    for path in tracked():
        if path.suffix in written and path.name != "schema.ts":  # that one is generated
            assert path.read_text().count("\n") <= FILE_LINES, path.relative_to(ROOT)


def kinds() -> list[str]:
    found, waiting = [], [errors.Sw2Error]
    while waiting:
        one = waiting.pop()
        found.append(one.kind)
        waiting += one.__subclasses__()
    return found


def test_every_kind_of_error_is_documented():
    page = (ROOT / "docs" / "errors.md").read_text()
    for kind in kinds():
        assert f"## {kind}\n" in page


def test_unfinished_marks_are_not_committed():
    marks = ["TO" + "DO", "FIX" + "ME", "raise NotImplemented" + "Error"]
    for path in [*MODULES, *(ROOT / "web" / "src").rglob("*.ts*")]:
        for mark in marks:
            assert mark not in path.read_text(), f"{path.relative_to(ROOT)}: {mark}"
