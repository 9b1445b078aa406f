"""What a build is named after: everything that can change a bit of its result."""

import json
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from blake3 import blake3

from sw2 import __version__
from sw2.build.spec import Spec
from sw2.errors import MissingExtra

# Raise when the code of this room would make other bits from the same inputs.
BUILD_FORMAT = 1
PACKAGES = ("torch", "onnx", "onnxruntime", "numpy", "pillow")
VECTOR_UNITS = ("sse", "ssse", "avx", "amx", "fma", "f16c", "asimd", "neon", "sve")


def toolchain() -> dict[str, str]:
    """Versions and the processor, without importing any of the packages.

    Raises MissingExtra when a package that builds need is not installed."""
    found = {"python": platform.python_version(), "sw2": __version__, "processor": processor()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            raise MissingExtra(
                f"a build needs {package}, which is not installed",
                hint="pip install 'sw2[build]'",
            ) from None
    return found


def processor() -> str:
    """System, architecture and vector units: torch and oneDNN pick their kernels by them.

    Read from the system rather than from torch, whose import takes three seconds that an unchanged
    build should not cost, and whose answer does not tell the units that oneDNN looks at."""
    units: set[str] = set()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("flags", "Features"):
                units = {unit for unit in value.split() if unit.startswith(VECTOR_UNITS)}
                break
    digest = blake3(" ".join(sorted(units)).encode()).hexdigest()[:8] if units else "unknown"
    return f"{sys.platform}-{platform.machine()}-{digest}"


def build_key(data: str, spec: Spec, tools: dict[str, str]) -> str:
    """64 hex digits. data: `Repository.data_name`. The seed is part of the spec."""
    parts = {"format": BUILD_FORMAT, "data": data, "spec": spec.canonical(), "toolchain": tools}
    return blake3(json.dumps(parts, sort_keys=True).encode()).hexdigest()
