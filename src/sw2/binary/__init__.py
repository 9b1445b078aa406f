"""The binary: a trained program as one file, and its runner. Neither torch nor onnx is needed here,
and onnxruntime is imported when a program is loaded."""

from sw2.binary.archive import name_of_file
from sw2.binary.manifest import FORMAT, Cost, Lock, Manifest, Tensor
from sw2.binary.program import Prediction, Program, SelfTest, inspect, load, read_report
from sw2.binary.report import ClassFigure, Epoch, ExportCheck, Report, Skipped, measure, wilson
from sw2.binary.writer import Parts, write

__all__ = [
    "FORMAT",
    "ClassFigure",
    "Cost",
    "Epoch",
    "ExportCheck",
    "Lock",
    "Manifest",
    "Parts",
    "Prediction",
    "Program",
    "Report",
    "SelfTest",
    "Skipped",
    "Tensor",
    "inspect",
    "load",
    "measure",
    "name_of_file",
    "read_report",
    "wilson",
    "write",
]
