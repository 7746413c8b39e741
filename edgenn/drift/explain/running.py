"""Runs an artifact and its comparison over samples, in a child process, in bounded memory."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import prod
from typing import Any, Final, TypeVar

import numpy as np

from edgenn.drift.explain.comparison import Arithmetic, Comparison, SharedTensor
from edgenn.drift.explain.matching import computed
from edgenn.drift.explain.sums import OpSums, Sums, TensorSums
from edgenn.export.tflite.exporter import to_tflite
from edgenn.ir.flat_loops import close_loops
from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Array, Tensor
from edgenn.lowering.recurrent.forms import Form, lowered
from edgenn.progress import Progress
from edgenn.runners.child import Child
from edgenn.runners.protocol import Message

TIME_LIMIT_S: Final = 600.0
"""For each batch."""
ELEMENTS_PER_BATCH: Final = 1 << 22
"""Values of the comparison graph that are held at once."""
LARGEST_BATCH: Final = 32


@dataclass(frozen=True)
class Switch:
    """A layer in float, and the artifact behind it.

    Attributes:
        layer: Its path.
        behind: The artifact's ops that depend on it; empty where nothing does.
        replaced: The artifact's tensor → what the layer gives in float, in the comparison.
        outputs: The artifact's output → what it should be, in the comparison.
    """

    layer: str
    behind: Graph
    replaced: Mapping[str, str]
    outputs: Mapping[str, str]


S = TypeVar("S", bound=Sums)


@dataclass(frozen=True)
class Observed:
    """Sums over all samples.

    Attributes:
        tensors: Of each of ``Comparison.shared``.
        ops: Of each of ``Comparison.arithmetic``.
    """

    tensors: list[tuple[SharedTensor, TensorSums]]
    ops: list[tuple[Arithmetic, OpSums]]


def observe(
    artifact: Graph, comparison: Comparison, samples: Mapping[str, Array], progress: Progress
) -> Observed:
    """Runs the samples and compares all tensors.

    Args:
        samples: Public input name → real numbers ``(n, …)``.

    Raises:
        EngineError: The engine crashed or took too long.
    """
    answer = run(artifact, comparison, samples, (), progress)
    return Observed(
        list(zip(comparison.shared, read(answer, "tensor", TensorSums), strict=True)),
        list(zip(comparison.arithmetic, read(answer, "op", OpSums), strict=True)),
    )


def run(
    artifact: Graph,
    comparison: Comparison,
    samples: Mapping[str, Array],
    switches: Sequence[Switch],
    progress: Progress,
    *,
    keep_outputs: bool = False,
) -> Message:
    """The child's sums over all samples.

    Args:
        keep_outputs: The answer has what each switch gave, too.
    """
    whole = with_all_outputs(artifact)
    models = {"artifact": whole, "comparison": comparison.graph}
    models.update({f"switch\0{i}": s.behind for i, s in enumerate(switches) if s.behind.ops})
    job = Message(
        {
            "artifact_inputs": list(whole.inputs.values()),
            "artifact_outputs": list(whole.outputs.values()),
            "comparison_inputs": list(comparison.graph.inputs.values()),
            "comparison_outputs": list(comparison.graph.outputs.values()),
            "grids": {name: grid_entry(artifact.tensors[name]) for name in computed(artifact)},
            "shared": [asdict(entry) for entry in comparison.shared],
            "arithmetic": [
                {"actual": e.actual, "plain": e.plain, "is_actual": e.is_actual}
                for e in comparison.arithmetic
            ],
            "keep_outputs": keep_outputs,
            "switches": [
                {
                    "replaced": dict(switch.replaced),
                    "outputs": dict(switch.outputs),
                    "model_inputs": list(switch.behind.inputs.values()),
                    "model_outputs": list(switch.behind.outputs.values()),
                }
                for switch in switches
            ],
        },
        {name: np.frombuffer(written(graph), np.uint8) for name, graph in models.items()},
    )
    with Child("edgenn.drift.explain.worker", [], artifact.name, TIME_LIMIT_S) as child:
        child.ask(job)
        for batch in batches(artifact, comparison, samples, progress):
            child.ask(Message({}, batch))
        return child.ask(Message({"finished": True}))


def written(graph: Graph) -> bytes:
    """The graph as a .tflite file."""
    return to_tflite(lowered(close_loops(graph), Form.LOOP))


def with_all_outputs(artifact: Graph) -> Graph:
    """The artifact with every computed tensor as an output, indices and conditions as well."""
    given = set(artifact.inputs.values())
    names = [name for name in computed(artifact) if name not in given]
    return artifact.with_(outputs={name: name for name in names}, metadata={})


def grid_entry(tensor: Tensor) -> list[Any]:
    """dtype, scale, zero point."""
    quantization = tensor.quantization
    if quantization is None:
        return [tensor.dtype, None, None]
    return [tensor.dtype, float(quantization.scale[0]), int(quantization.zero_point[0])]


def batches(
    artifact: Graph, comparison: Comparison, samples: Mapping[str, Array], progress: Progress
) -> Iterator[dict[str, Array]]:
    """The samples as both models take them; a last batch of fixed size is filled up."""
    count = len(next(iter(samples.values())))
    fixed = next((tensor.shape[0] for tensor in artifact.input_tensors()), None)
    size = fixed or batch_size(comparison.graph)
    for start in range(0, count, size):
        stop = start + size if fixed else min(start + size, count)
        taken = np.arange(start, stop) % count
        yield inputs_of(artifact, comparison, {name: a[taken] for name, a in samples.items()})
        progress("explaining", min(start + size, count), count)


def batch_size(graph: Graph) -> int:
    elements = sum(
        prod(size or 1 for size in graph.tensors[name].shape[1:]) for name in computed(graph)
    )
    return max(1, min(LARGEST_BATCH, ELEMENTS_PER_BATCH // max(1, elements)))


def inputs_of(
    artifact: Graph, comparison: Comparison, batch: Mapping[str, Array]
) -> dict[str, Array]:
    given: dict[str, Array] = {}
    for name in comparison.graph.inputs.values():
        if name.startswith("sample:"):
            tensor = comparison.graph.tensors[name]
            given[name] = batch[name.removeprefix("sample:")].astype(tensor.dtype, copy=False)
    for (_, name), array in zip(artifact.inputs.items(), in_order(artifact, batch), strict=True):
        tensor = artifact.tensors[name]
        if tensor.quantization is None:
            given[name] = array.astype(tensor.dtype, copy=False)
        else:
            given[name] = tensor.quantization.quantize(array, tensor.dtype)
    return given


def in_order(artifact: Graph, batch: Mapping[str, Array]) -> list[Array]:
    """The batch's arrays in the order of the artifact's inputs: by name, else as they stand."""
    if set(artifact.inputs) == set(batch):
        return [batch[public] for public in artifact.inputs]
    return list(batch.values())


def read(answer: Message, kind: str, make: Callable[[dict[str, Any]], S]) -> list[S]:
    """The sums of an answer."""
    result = [make(state) for state in answer.values[kind]]
    for key, array in answer.arrays.items():
        group, index, field = key.split("\0")
        if group == kind:
            result[int(index)].sums[field] = array
    return result
