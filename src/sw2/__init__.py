"""sw2: the toolchain for Software 2.0.

>>> import sw2
>>> repository = sw2.open("my-data")          # doctest: +SKIP
>>> repository.read(columns=["id", "label"])  # doctest: +SKIP
>>> sw2.open("my-data", rev="v1").query("select count(*) from examples")  # doctest: +SKIP
>>> program = sw2.load("fashion.sw2b")        # doctest: +SKIP
>>> program.predict(["picture.png"])          # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sw2.errors import Sw2Error

if TYPE_CHECKING:
    from sw2.binary import load
    from sw2.query import Reading, Table, open
    from sw2.repo import Repository

    init = Repository.init

__all__ = ["init", "load", "open", "Reading", "Repository", "Sw2Error", "Table"]  # noqa: RUF022
__version__ = "0.1.0"

# Looked up when first used, so that `import sw2` loads no pyarrow and no onnxruntime.
_LAZY = {
    "init": ("sw2.repo", "Repository.init"),
    "load": ("sw2.binary", "load"),
    "open": ("sw2.query", "open"),
    "Reading": ("sw2.query", "Reading"),
    "Repository": ("sw2.repo", "Repository"),
    "Table": ("sw2.query", "Table"),
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module `sw2` has no attribute `{name}`")
    module, path = _LAZY[name]
    value: Any = import_module(module)
    for part in path.split("."):
        value = getattr(value, part)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
