"""Builds: spec @ commit -> binary and signals. torch and onnx are imported only while one runs."""

from sw2.build.folder import Build, Recorded, State, Status, read_build
from sw2.build.run import Job, build, build_before, builds, job_of, make, read_spec
from sw2.build.signals import Signals, read_signals
from sw2.build.spec import Spec
from sw2.build.toolchain import build_key, toolchain

__all__ = [
    "Build",
    "Job",
    "Recorded",
    "Signals",
    "Spec",
    "State",
    "Status",
    "build",
    "build_before",
    "build_key",
    "builds",
    "job_of",
    "make",
    "read_build",
    "read_signals",
    "read_spec",
    "toolchain",
]
