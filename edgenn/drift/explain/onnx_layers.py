"""Explains an .onnx file: its layers beside those of the float graph.

ONNX Runtime runs the file with graph optimisations disabled and gives every value by name: what
the file says is judged here, not what an engine makes of it. All else is as for .tflite files:
own and inherited error by giving each float layer the file's inputs, and what rounding explains.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from edgenn.drift.explain.comparison import Arithmetic, Comparison, compare
from edgenn.drift.explain.constants import Pair
from edgenn.drift.explain.excess import Layer, statistics_of
from edgenn.drift.explain.explain import SAMPLES, Study, explained, spread
from edgenn.drift.explain.gathering import layers
from edgenn.drift.explain.names import layers_of
from edgenn.drift.explain.onnx_file import OnnxFile, Value, before, read_onnx
from edgenn.drift.explain.reference import divided
from edgenn.drift.explain.report import Explanation
from edgenn.drift.explain.running import (
    TIME_LIMIT_S,
    Observed,
    batch_size,
    grid_entry,
    read,
    written,
)
from edgenn.drift.explain.sums import OpSums, TensorSums
from edgenn.ir.graph import Graph, Op
from edgenn.ir.ops import Dequantize
from edgenn.ir.ops.recurrent import Recurrent
from edgenn.ir.ops.scan import Scan
from edgenn.ir.tensor import Array
from edgenn.lowering.integer import legalize
from edgenn.progress import Progress, silent
from edgenn.quantization.schemes import INTEGER_FORMATS, Scheme
from edgenn.runners.child import Child
from edgenn.runners.protocol import Message

LOOPS = (Recurrent, Scan)
OF_ONE_ROUNDING = ("own error", "worst channel")
"""Statistics that say nothing where a tensor is rounded several times on its way."""


def explain_onnx(
    path: Path,
    float_graph: Graph,
    inputs: Mapping[str, Array],
    *,
    factors: Mapping[str, Array] | None = None,
    scheme: Scheme = Scheme.INT8,
    samples: int = SAMPLES,
    progress: Progress = silent,
) -> Explanation:
    """Says which layer made an .onnx file wrong.

    Args:
        float_graph: Captured from the Keras model.
        inputs: Public input name → samples ``(n, …)``, as the Keras model takes them.
        factors: Tensor → what its channels were divided by in the file, along the last axis.
        samples: How many of the samples are run, spread evenly.

    Raises:
        ArtifactError: The file is damaged.
        EngineError: The engine crashed or took too long.
    """
    reference = float_graph
    if scheme in INTEGER_FORMATS:
        reference = legalize(reference, INTEGER_FORMATS[scheme].activation)
    reference = divided(reference, factors or {})
    file = read_onnx(path, reference)
    comparison = without_ops(compare(reference, file.graph, file.match))
    comparison.arithmetic.extend(roundings(file))
    chosen = spread(inputs, samples)
    observed = observe(path, file, comparison, chosen, progress)
    known = [
        with_compensation(layer, file)
        for layer in layers(reference, file.graph, file.match, comparison, observed)
    ]
    statistics = {layer.name: judged(layer, file) for layer in known}
    found = Study(
        float_graph, reference, file.graph, file.match, comparison, chosen, known, statistics
    )
    result = explained(path.name, found, switch_off=False)
    return replace(result, notes=(*result.notes, *notes(file, reference)))


def without_ops(comparison: Comparison) -> Comparison:
    """The comparison without the arithmetic of ops: in the file they compute in float."""
    plain = {entry.plain for entry in comparison.arithmetic if not entry.is_actual}
    outputs = {name: name for name in comparison.graph.outputs if name not in plain}
    graph = comparison.graph.with_(outputs=outputs).pruned()
    read = {name for op in graph.ops for name in op.inputs}
    given = {public: name for public, name in graph.inputs.items() if name in read}
    return replace(comparison, graph=graph.with_(inputs=given), arithmetic=[])


def roundings(file: OnnxFile) -> Iterator[Arithmetic]:
    """Every value that is put on a grid: what it is on it, what it was before."""
    for name, value in (*file.shared.items(), *file.others.items()):
        if value.integers:
            rounding = Op(name, Dequantize(), (before(name),), (name,))
            yield Arithmetic(rounding, name, before(name), is_actual=True)


def with_compensation(layer: Layer, file: OnnxFile) -> Layer:
    """The layer, whose integer weights need not be the nearest ones where products stay in float.

    The file does not tell a float kernel by its operands: those lie between nodes of their own.
    """

    def pair_of(pair: Pair) -> Pair:
        result = file.shared.get(pair.op.outputs[0])
        stored = file.graph.tensors.get(pair.name)
        is_float = result is None or not result.integers
        if pair.is_bias or stored is None or stored.dtype != "int8" or not is_float:
            return pair
        return replace(pair, compensated=True)

    # recurrent layers' biases are corrected, too, and no operator's own: their effect is judged
    kept = [
        p for p in layer.constants if p.axis is not None or not isinstance(p.op.operator, LOOPS)
    ]
    return replace(layer, constants=[pair_of(pair) for pair in kept])


def judged(layer: Layer, file: OnnxFile) -> dict[str, float]:
    """The statistics that hold for a layer."""
    statistics = statistics_of(layer)
    if any(entry.name in file.unsure for entry, _, _ in layer.tensors):
        statistics.update(dict.fromkeys(OF_ONE_ROUNDING, 0.0))
    return statistics


def notes(file: OnnxFile, reference: Graph) -> Iterator[str]:
    owner = layers_of(reference)
    several = list(dict.fromkeys(owner[name] for name in file.graph.tensors if name in file.unsure))
    if several:
        named = ", ".join(several[:3]) + (" …" if len(several) > 3 else "")
        yield f"rounded several times inside, so that their own error is not judged: {named}"


def observe(
    path: Path,
    file: OnnxFile,
    comparison: Comparison,
    samples: Mapping[str, Array],
    progress: Progress,
) -> Observed:
    """Runs the samples and compares all tensors.

    Raises:
        EngineError: The engine crashed or took too long.
    """
    job = Message(
        {
            "values": {
                name: entry_of(value, file.orders.get(name, []))
                for name, value in (*file.shared.items(), *file.others.items())
            },
            "comparison_inputs": list(comparison.graph.inputs.values()),
            "comparison_outputs": list(comparison.graph.outputs.values()),
            "grids": {
                **{before(name): ["float32", None, None] for name in (*file.shared, *file.others)},
                **{
                    name: grid_entry(file.graph.tensors[name])
                    for name in (*file.shared, *file.others)
                },
            },
            "shared": [asdict(entry) for entry in comparison.shared],
            "arithmetic": [
                {"actual": e.actual, "plain": e.plain, "is_actual": e.is_actual}
                for e in comparison.arithmetic
            ],
            "keep_outputs": False,
            "switches": [],
        },
        {
            "artifact": np.frombuffer(path.read_bytes(), np.uint8),
            "comparison": np.frombuffer(written(comparison.graph), np.uint8),
        },
    )
    with Child("edgenn.drift.explain.onnx_worker", [], path.name, TIME_LIMIT_S) as child:
        child.ask(job)
        for batch in batches(file, comparison, samples, progress):
            child.ask(Message({}, batch))
        answer = child.ask(Message({"finished": True}))
    return Observed(
        list(zip(comparison.shared, read(answer, "tensor", TensorSums), strict=True)),
        list(zip(comparison.arithmetic, read(answer, "op", OpSums), strict=True)),
    )


def entry_of(value: Value, orders: list[tuple[int, ...]]) -> dict[str, Any]:
    return {
        "real": value.real,
        "integers": value.integers,
        "before": value.before,
        "dtype": value.dtype,
        "offset": value.offset,
        "orders": [list(order) for order in orders],
    }


def batches(
    file: OnnxFile, comparison: Comparison, samples: Mapping[str, Array], progress: Progress
) -> Iterator[dict[str, Array]]:
    """The samples as both models take them; a last batch of fixed size is filled up."""
    tensors = comparison.graph.tensors
    count = len(next(iter(samples.values())))
    size = file.batch or batch_size(comparison.graph)
    for start in range(0, count, size):
        stop = start + size if file.batch else min(start + size, count)
        batch = {name: array[np.arange(start, stop) % count] for name, array in samples.items()}
        given = {f"input:{file.inputs[name]}": array for name, array in batch.items()}
        for name in comparison.graph.inputs:
            if name.startswith("sample:"):
                array = batch[name.removeprefix("sample:")]
                given[name] = array.astype(tensors[name].dtype, copy=False)
        yield given
        progress("explaining", min(start + size, count), count)
