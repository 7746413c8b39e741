"""What the manifest says of the files and of the programs that made them."""

import hashlib
import importlib.metadata
from collections import Counter
from collections.abc import Mapping

import numpy as np

from edgenn import manifest
from edgenn.ir.graph import Graph
from edgenn.ir.layers import ops_of_layer
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
        precisions=precisions(build, graph),
    )


def precisions(build: Build, graph: Graph) -> dict[str, tuple[str, ...]]:
    """The layers whose precision is another than that of the rest.

    Those that have float gates, or follow one in float, have no 16 bits to speak of.
    """
    wide = tuple(path for path in build.layers.wide if gives(graph, path, "int16"))
    layers = {"float32": build.layers.kept, "int16": wide}
    return {dtype: paths for dtype, paths in layers.items() if paths}


def gives(graph: Graph, layer: str, dtype: str) -> bool:
    """Whether an op of a layer makes a tensor of a dtype."""
    own = ops_of_layer(graph, layer)
    return any(
        tensor.dtype == dtype for op in graph.ops if op.name in own for tensor in graph.results(op)
    )


def recurrent(build: Build) -> manifest.Recurrent | None:
    """How the file holds its recurrent layers."""
    if build.form is None:
        return None
    is_integer = build.scheme.is_full_integer and not build.float_gates
    gates = str(build.gates) if is_integer else "float32"
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
