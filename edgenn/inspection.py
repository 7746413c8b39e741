"""What a model or an artifact is, without running it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgenn.bundle import sha256_of_file
from edgenn.errors import ArtifactError, UnavailableError
from edgenn.runtime.step_info import METADATA_KEY, StepInfo, read_step
from edgenn.runtime.tensor_info import TensorInfo
from edgenn.runtime.tflite_file import OperatorUse, read_tflite


@dataclass(frozen=True)
class Inspection:
    """A file, described.

    Attributes:
        path: As it was given.
        format: ``keras``, ``h5``, ``saved_model``, ``tflite`` or ``onnx``.
        op_counts: Op (or layer class) → how many there are, most first.
        parameters: Number of weights, where it is known.
        macs: Multiply-accumulates for one sample, where they are known.
        notes: What a user should know about it.
    """

    path: str
    format: str
    size_bytes: int
    sha256: str
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    op_counts: Mapping[str, int] = field(default_factory=dict)
    parameters: int | None = None
    macs: int | None = None
    notes: tuple[str, ...] = ()


def inspect_artifact(path: str | Path) -> Inspection:
    """Describes a .tflite or .onnx file.

    Raises:
        ArtifactError: The file is missing, damaged or no artifact.
        UnavailableError: An .onnx without the package ``onnx``.
    """
    path = Path(path)
    readers = {".tflite": inspect_tflite, ".onnx": inspect_onnx}
    if path.suffix not in readers:
        raise ArtifactError(f"{path} is no artifact: its suffix is none of {', '.join(readers)}")
    if not path.is_file():
        raise ArtifactError(f"{path} does not exist")
    try:
        return readers[path.suffix](path)
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}") from error


def is_artifact(path: str | Path) -> bool:
    return Path(path).suffix in (".tflite", ".onnx")


def inspect_tflite(path: Path) -> Inspection:
    content = read_tflite(path)
    names = builtin_names()
    ops = Counter(op_name(use, names) for use in content.operators)
    return Inspection(
        str(path),
        "tflite",
        path.stat().st_size,
        sha256_of_file(path),
        tuple(port.info for port in content.inputs),
        tuple(port.info for port in content.outputs),
        dict(ops.most_common()),
        notes=step_notes(content.step),
    )


def step_notes(step: StepInfo | None) -> tuple[str, ...]:
    """That the file runs one step, and what it hands on."""
    if step is None:
        return ()
    pairs = ", ".join(f"{state.output} → {state.input}" for state in step.states)
    return (f"runs one step; at the next, {pairs}" if pairs else "runs one step",)


def op_name(use: OperatorUse, names: Mapping[int, str]) -> str:
    return use.custom or names.get(use.builtin, f"BUILTIN_{use.builtin}")


def builtin_names() -> dict[int, str]:
    """Names of TFLite's builtin ops, from the schema that comes with LiteRT."""
    try:
        from ai_edge_litert.schema_py_generated import BuiltinOperator
    except ModuleNotFoundError:  # tflite-runtime ships no schema: numbers must do
        return {}
    return {number: name for name, number in vars(BuiltinOperator).items() if name.isupper()}


def inspect_onnx(path: Path) -> Inspection:
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ModuleNotFoundError as error:
        raise UnavailableError("onnx is not installed", "pip install 'edgenn[convert]'") from error
    try:
        model = onnx.load(str(path), load_external_data=False)
    except DecodeError as error:
        raise ArtifactError(f"{path} is damaged or not an ONNX file: {error}") from error
    if not model.graph.node and not model.graph.output:
        raise ArtifactError(f"{path} holds no graph")
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = tuple(onnx_info(value) for value in model.graph.input if value.name not in constants)
    outputs = tuple(onnx_info(value) for value in model.graph.output)
    said = {entry.key: entry.value for entry in model.metadata_props}.get(METADATA_KEY)
    step = read_step(None if said is None else said.encode(), inputs, outputs, str(path))
    return Inspection(
        str(path),
        "onnx",
        path.stat().st_size,
        sha256_of_file(path),
        inputs,
        outputs,
        dict(Counter(node.op_type for node in model.graph.node).most_common()),
        notes=step_notes(step),
    )


def onnx_info(value: Any) -> TensorInfo:
    from onnx import helper

    kind = value.type.tensor_type
    shape = tuple(size.dim_value if size.HasField("dim_value") else None for size in kind.shape.dim)
    return TensorInfo(value.name, shape, helper.tensor_dtype_to_np_dtype(kind.elem_type).name)
