"""What the manifest says of the files and of the programs that made them."""

import hashlib
import importlib.metadata
from collections import Counter
from collections.abc import Mapping

import numpy as np

from edgenn import manifest
from edgenn.ir.graph import Graph
from edgenn.ir.stepping import step_of
from edgenn.ir.tensor import Quantization
from edgenn.plan import Build
from edgenn.runtime.tensor_info import TensorInfo

PACKAGES = ("keras", "tensorflow", "numpy", "onnx", "flatbuffers", "ai-edge-litert")


def artifact(file: str, build: Build, content: bytes, graph: Graph) -> manifest.Artifact:
    """What the manifest says of one file."""
    return manifest.Artifact(
        file=file,
        format=build.format,
        scheme=str(build.scheme),
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        inputs=ports(graph, graph.inputs, build.format),
        outputs=ports(graph, graph.outputs, build.format),
        recurrent=recurrent(build),
        states=states(graph, build.format),
        time_axes=time_axes(graph),
        op_counts=dict(sorted(Counter(op.kind for op in graph.ops).items())),
        macs=graph.macs(),
        targets=build.targets,
    )


def recurrent(build: Build) -> manifest.Recurrent | None:
    """How the file holds its recurrent layers."""
    if build.form is None:
        return None
    gates = str(build.gates) if build.scheme.is_full_integer else "float32"
    return manifest.Recurrent(str(build.form), gates)


def states(graph: Graph, format_: str) -> tuple[manifest.State, ...]:
    """The states of a graph that runs one step, as the file has them."""
    step = step_of(graph)
    if step is None:
        return ()
    infos = {info.name: info for info in ports(graph, graph.inputs, format_)}
    return tuple(
        manifest.State(
            state.input,
            state.output,
            infos[state.input].shape,
            infos[state.input].dtype,
            None if state.initial is None else stored(state.initial, infos[state.input]),
        )
        for state in step.states
    )


def stored(real: tuple[float, ...], info: TensorInfo) -> tuple[float, ...]:
    """Real numbers as a file holds them."""
    if info.scale is None:
        return real
    quantization = Quantization.per_tensor(info.scale, info.zero_point)
    return tuple(quantization.quantize(np.array(real), info.dtype).tolist())


def time_axes(graph: Graph) -> manifest.TimeAxes | None:
    """Where a graph that runs one step has time."""
    step = step_of(graph)
    return None if step is None else manifest.TimeAxes(step.inputs, step.outputs)


def ports(graph: Graph, names: Mapping[str, str], format_: str) -> tuple[TensorInfo, ...]:
    """Inputs or outputs as the file has them."""
    infos = []
    for public, name in names.items():
        tensor = graph.tensors[name]
        quantization = tensor.quantization
        if quantization is None or format_ == "onnx":
            dtype = tensor.dtype if quantization is None else "float32"
            infos.append(TensorInfo(public, tensor.shape, dtype))
        else:
            scale, zero_point = float(quantization.scale[0]), int(quantization.zero_point[0])
            infos.append(TensorInfo(public, tensor.shape, tensor.dtype, scale, zero_point))
    return tuple(infos)


def version(package: str) -> str:
    """The installed version, empty where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def package_versions() -> dict[str, str]:
    """Of everything that has a say in the bytes of the files."""
    return {package: version(package) for package in PACKAGES}
