"""ONNX Runtime on the CPU."""

import platform
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgenn.errors import ArtifactError, EdgennError, EngineError, UnavailableError
from edgenn.runtime.litert import one_line
from edgenn.runtime.step_info import METADATA_KEY, StepInfo, read_step
from edgenn.runtime.tensor_info import Array, TensorInfo

DTYPES = {"float": "float32", "double": "float64"}
"""ONNX Runtime's names of element types that NumPy calls otherwise."""

NOT_A_MODEL = ("InvalidProtobuf", "InvalidGraph", "InvalidArgument", "Fail", "NoSuchFile")
"""ONNX Runtime's exceptions that say the file is wrong, not the engine."""

CPU_INFO = Path("/proc/cpuinfo")

ERRORS_ONLY = 3
"""Severity: warnings about the graph's optimisation are no user's concern."""


REWRITTEN_TWICE = "Attempt to replace the existing tensor"
"""What exact 8-bit products come to in files where several ops share their weights, such as the
copies of a cell: ONNX Runtime (1.32) rewrites the weights once for each. It does not where it
optimises less."""


class OnnxRuntimeEngine:
    """Runs an .onnx file.

    Args:
        path: The file.
        threads: Within one op.

    Raises:
        ArtifactError: The file is damaged or no ONNX model.
        EngineError: ONNX Runtime refuses the file.
        UnavailableError: ONNX Runtime is not installed.
    """

    name = "onnxruntime"

    def __init__(self, path: Path, threads: int = 1) -> None:
        try:
            import onnxruntime
        except ModuleNotFoundError as error:
            raise UnavailableError(
                "ONNX Runtime is not installed", "pip install 'edgenn[onnx]'"
            ) from error
        if path.stat().st_size == 0:
            raise ArtifactError(f"{path} is not an ONNX file: it is empty")
        self._path = path
        try:
            self._session = session = self.open_session(onnxruntime, threads)
        except EdgennError:
            raise
        except Exception as error:  # ONNX Runtime's exceptions share no base class
            if type(error).__name__ in NOT_A_MODEL:
                raise ArtifactError(
                    f"{path} is damaged or not an ONNX file: {one_line(error)}",
                    "convert or copy it again",
                ) from error
            raise EngineError(f"{path}: ONNX Runtime refuses it: {one_line(error)}") from error
        self._version = onnxruntime.__version__
        self.inputs, self.outputs, self.step = ports_of(session, path)
        self._names = [info.name for info in self.inputs]
        self._output_names = [info.name for info in self.outputs]

    def open_session(self, onnxruntime: Any, threads: int) -> Any:
        """An inference session; engines on other devices have another."""
        options = session_options(onnxruntime, threads)
        arguments = (str(self._path), options, ["CPUExecutionProvider"])
        try:
            return onnxruntime.InferenceSession(*arguments)
        except Exception as error:  # ONNX Runtime's exceptions share no base class
            if REWRITTEN_TWICE not in str(error):
                raise
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
            return onnxruntime.InferenceSession(*arguments)

    @property
    def version(self) -> str:
        return f"onnxruntime {self._version}"

    def reshape(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Nothing to do: ONNX Runtime takes any shape as it comes."""

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        try:
            outputs: list[Array] = self._session.run(
                self._output_names, dict(zip(self._names, arrays, strict=True))
            )
        except Exception as error:  # ONNX Runtime's exceptions share no base class
            raise EngineError(f"{self._path}: ONNX Runtime: {one_line(error)}") from error
        return outputs


def ports_of(
    session: Any, path: Path
) -> tuple[tuple[TensorInfo, ...], tuple[TensorInfo, ...], StepInfo | None]:
    """Inputs and outputs of an open file, and how its steps follow each other."""
    inputs = tuple(tensor_info(node, path) for node in session.get_inputs())
    outputs = tuple(tensor_info(node, path) for node in session.get_outputs())
    said = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
    content = None if said is None else said.encode()
    return inputs, outputs, read_step(content, inputs, outputs, str(path))


def session_options(onnxruntime: Any, threads: int, severity: int = ERRORS_ONLY) -> Any:
    """Options of a session that says little and computes 8-bit products exactly."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = severity
    if needs_exact_products(platform.machine(), CPU_INFO):
        options.add_session_config_entry("session.x64quantprecision", "1")
    return options


def needs_exact_products(machine: str, cpu_info: Path) -> bool:
    """Whether this processor's fast 8-bit products saturate.

    x86 without VNNI adds pairs of uint8 × int8 products in 16 bits, which full-range weights
    overflow; ONNX Runtime has a slower, exact way for it. Where the processor does not say, the
    exact one is taken.
    """
    if machine not in ("x86_64", "AMD64"):
        return False
    try:
        return "vnni" not in cpu_info.read_text()
    except OSError:
        return True


def tensor_info(node: Any, path: Path) -> TensorInfo:
    match = re.fullmatch(r"tensor\((\w+)\)", node.type)
    if match is None:
        raise EngineError(f"{path}: {node.name!r} is a {node.type}, not an array")
    shape = tuple(size if isinstance(size, int) else None for size in node.shape)
    return TensorInfo(node.name, shape, DTYPES.get(match[1], match[1]))
