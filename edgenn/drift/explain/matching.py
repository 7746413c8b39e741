"""Which tensor of an artifact is which tensor of the float graph."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edgenn.drift.explain.names import plain
from edgenn.ir.graph import Graph
from edgenn.ir.ops import Dequantize, Quantize, Reshape
from edgenn.ir.tensor import Shape, Tensor


@dataclass(frozen=True)
class Match:
    """The tensors that a float graph and an artifact share.

    Attributes:
        actual: Tensor of the float graph → the artifact's tensor that ops behind it read.
        meaning: Tensor of the artifact → tensor of the float graph; several may mean the same
            value before and after a rounding.
    """

    actual: Mapping[str, str]
    meaning: Mapping[str, str]


def match(graph: Graph, artifact: Graph) -> Match:
    """Pairs tensors by name, inputs and outputs by their public names or their order.

    Args:
        graph: In the form of the artifact.
    """
    by_name: dict[str, list[str]] = {}
    for name in computed(artifact):
        if is_real(artifact.tensors[name]):
            by_name.setdefault(plain(name), []).append(name)
    actual: dict[str, str] = {}
    meaning: dict[str, str] = {}
    for name in computed(graph):
        tensor = graph.tensors[name]
        if not is_real(tensor):
            continue
        found = [
            other
            for other in by_name.get(plain(name), ())
            if fits(tensor.shape, artifact.tensors[other].shape)
        ]
        if found:
            actual[name] = name if name in found else found[-1]
            meaning.update(dict.fromkeys(found, name))
    for theirs, ours in borders(graph, artifact):
        if theirs not in meaning and is_real(graph.tensors[ours]):
            meaning[theirs] = ours
            actual.setdefault(ours, theirs)
    meaning.update(copies(artifact, meaning))
    return Match(actual, meaning)


def copies(artifact: Graph, meaning: Mapping[str, str]) -> dict[str, str]:
    """Further tensors of the artifact that are a shared one once more, and all that is read of it.

    What goes wrong on the way to them is then not taken for an error of the ops that read them.
    """
    found: dict[str, str] = {}
    for op in artifact.ops:
        if not isinstance(op.operator, Quantize | Dequantize | Reshape):
            continue
        source, output = op.inputs[0], op.outputs[0]
        value = found.get(source) or meaning.get(source)
        if value is None or output in meaning or len(artifact.consumers[source]) > 1:
            continue
        if fits(artifact.tensors[source].shape, artifact.tensors[output].shape):
            found[output] = value
    return found


def borders(graph: Graph, artifact: Graph) -> Iterator[tuple[str, str]]:
    """Inputs and outputs: tensor of the artifact, tensor of the float graph."""
    for theirs, ours in ((artifact.inputs, graph.inputs), (artifact.outputs, graph.outputs)):
        same_names = set(theirs) == set(ours)
        for index, (public, name) in enumerate(theirs.items()):
            if same_names:
                yield name, ours[public]
            elif len(theirs) == len(ours):
                yield name, list(ours.values())[index]


def computed(graph: Graph) -> Iterator[str]:
    """The tensors that are not constant: inputs, then what the ops make, in order."""
    yield from graph.inputs.values()
    for op in graph.ops:
        yield from op.outputs


def is_real(tensor: Tensor) -> bool:
    """Whether a tensor stands for real numbers."""
    return tensor.dtype in ("float32", "float16") or tensor.quantization is not None


def fits(one: Shape, other: Shape) -> bool:
    """Whether two shapes can be that of one value; the batch may be any."""
    return len(one) == len(other) and all(
        a is None or b is None or a == b for a, b in zip(one[1:], other[1:], strict=True)
    )


def read_by(artifact: Graph, tensor: str, meaning: Mapping[str, str]) -> dict[str, str]:
    """What a tensor is made of: shared tensor → the artifact's tensor that is read of it.

    Args:
        tensor: Of the artifact.
        meaning: See ``Match``.
    """
    own = meaning.get(tensor)
    found: dict[str, str] = {}
    seen: set[str] = set()
    waiting = [tensor]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        value = meaning.get(name, own)
        if value is not None and value != own:
            found.setdefault(value, name)
        elif (producer := artifact.producers.get(name)) is not None:
            waiting.extend(n for n in producer.inputs if not artifact.tensors[n].is_constant)
    return found
