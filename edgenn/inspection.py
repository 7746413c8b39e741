"""What a model or an artifact is, without running it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edgenn import manifest
from edgenn.bundle import MANIFEST, Bundle, read_manifest, sha256_of_file
from edgenn.errors import ArtifactError, UnavailableError
from edgenn.runtime.border import input_border
from edgenn.runtime.hls4ml_file import SUFFIX, read_hls4ml
from edgenn.runtime.step_info import METADATA_KEY, State, StepInfo, read_step
from edgenn.runtime.tensor_info import TensorInfo
from edgenn.runtime.tflite_file import OperatorUse, read_tflite


@dataclass(frozen=True)
class Inspection:
    """A file, described.

    Attributes:
        path: As it was given.
        format: ``keras``, ``h5``, ``saved_model``, ``tflite``, ``onnx`` or ``hls4ml``.
        op_counts: Op (or layer class) → how many there are, most first.
        parameters: Number of weights, where it is known.
        macs: Multiply-accumulates for one sample, where they are known.
        step: How the steps of an artifact that runs one follow each other.
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
    step: StepInfo | None = None
    notes: tuple[str, ...] = ()


def inspect_artifact(path: str | Path) -> Inspection:
    """Describes a .tflite, .onnx or .hls4ml file.

    Raises:
        ArtifactError: The file is missing, damaged or no artifact.
        UnavailableError: An .onnx without the package ``onnx``.
    """
    path = Path(path)
    readers = {".tflite": inspect_tflite, ".onnx": inspect_onnx, SUFFIX: inspect_hls4ml}
    if path.suffix not in readers:
        raise ArtifactError(f"{path} is no artifact: its suffix is none of {', '.join(readers)}")
    if not path.is_file():
        raise ArtifactError(f"{path} does not exist")
    try:
        return readers[path.suffix](path)
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}") from error


def artifacts_at(path: str | Path) -> tuple[manifest.Artifact, ...]:
    """All artifacts of a bundle, or the one of a file.

    Raises:
        ArtifactError: The path leads to neither, or a file is missing or damaged.
        UnavailableError: As of ``artifact_of_file``.
    """
    path = Path(path)
    if not path.exists():
        raise ArtifactError(f"{path} does not exist")
    return Bundle.load(path).manifest.artifacts if path.is_dir() else (artifact_of_file(path),)


def artifact_of_file(path: str | Path) -> manifest.Artifact:
    """What a manifest says of an artifact: the one beside it, if it lists the file.

    Of other files only what stands in them is known: their scheme is empty, and so is the form of
    recurrent layers.

    Raises:
        ArtifactError: The file is missing, damaged or no artifact.
        UnavailableError: An .onnx from elsewhere without the package ``onnx``.
    """
    path = Path(path)
    if (listed := listed_artifact(path)) is not None:
        return listed
    inspection = inspect_artifact(path)
    step = inspection.step
    return manifest.Artifact(
        path.name,
        inspection.format,
        "",
        inspection.sha256,
        inspection.size_bytes,
        inspection.inputs,
        inspection.outputs,
        inspection.op_counts,
        states=() if step is None else stored_states(step, inspection.inputs),
        time_axes=None if step is None else manifest.TimeAxes(step.inputs, step.outputs),
    )


def listed_artifact(path: Path) -> manifest.Artifact | None:
    """The entry of a file in the manifest beside it; ``None`` if it is not that file."""
    if not path.is_file() or not (path.parent / MANIFEST).is_file():
        return None
    try:
        artifacts = read_manifest(path.parent).artifacts
    except ArtifactError:  # other programs have manifests, too
        return None
    known = {artifact.file: artifact for artifact in artifacts}
    found = known.get(path.name)
    return found if found is not None and found.sha256 == sha256_of_file(path) else None


def stored_states(step: StepInfo, inputs: Sequence[TensorInfo]) -> tuple[manifest.State, ...]:
    """The states of a step as a manifest has them, in the file's own numbers."""
    infos = {info.name: info for info in inputs}

    def stored(state: State) -> tuple[float, ...] | None:
        if state.initial is None:
            return None
        values = np.array(state.initial, np.float32)
        return tuple(input_border(infos[state.input])(values).tolist())

    return tuple(
        manifest.State(
            state.input,
            state.output,
            infos[state.input].shape,
            infos[state.input].dtype,
            stored(state),
        )
        for state in step.states
    )


def is_artifact(path: str | Path) -> bool:
    return Path(path).suffix in (".tflite", ".onnx", SUFFIX)


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
        step=content.step,
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
        step=step,
        notes=step_notes(step),
    )


def onnx_info(value: Any) -> TensorInfo:
    from onnx import helper

    kind = value.type.tensor_type
    shape = tuple(size.dim_value if size.HasField("dim_value") else None for size in kind.shape.dim)
    return TensorInfo(value.name, shape, helper.tensor_dtype_to_np_dtype(kind.elem_type).name)


def inspect_hls4ml(path: Path) -> Inspection:
    """Its layers are hls4ml's; what it costs in the fabric only a synthesis tool knows."""
    content = read_hls4ml(path)
    arrays = [layer["attributes"][name] for layer in content.layers for name in layer["weights"]]
    return Inspection(
        str(path),
        "hls4ml",
        path.stat().st_size,
        sha256_of_file(path),
        tuple(port.info for port in content.inputs),
        tuple(port.info for port in content.outputs),
        dict(Counter(layer["class_name"] for layer in content.layers).most_common()),
        parameters=sum(array.size for array in arrays),
    )
