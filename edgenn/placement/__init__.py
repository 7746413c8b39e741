"""Where the ops of a file would run on a target, and why, without running anything."""

from edgenn.placement.graph_program import graph_program
from edgenn.placement.memory import Peak, peak_activation
from edgenn.placement.onnx_program import onnx_program
from edgenn.placement.placement import PlacedOp, Placement, Where, place
from edgenn.placement.program import Program
from edgenn.placement.report import LayerReport, PreflightReport, TargetReport
from edgenn.placement.tflite_program import tflite_program

__all__ = [
    "LayerReport",
    "Peak",
    "PlacedOp",
    "Placement",
    "PreflightReport",
    "Program",
    "TargetReport",
    "Where",
    "graph_program",
    "peak_activation",
    "place",
    "program_of",
]


def program_of(data: bytes, format_: str, where: str = "the file") -> Program:
    """Reads the bytes of a .tflite or .onnx file.

    Raises:
        ArtifactError: They are damaged or something else.
        UnavailableError: ONNX without the package ``onnx``.
    """
    return {"tflite": tflite_program, "onnx": onnx_program}[format_](data, where)
