"""The graph that an artifact is held against: all that its layers should give, in one float graph.

Runs side by side:

- *free*: the float graph on the samples;
- *forced* (as in teacher forcing): each layer of the float graph on the artifact's inputs of it.
  What the artifact gives besides is this layer's own error;
- *layered*: the same with whole layers, where a layer has several tensors;
- *twin*: the forced run with constants as coarse as the artifact stores them. Rounded to the
  artifact's grid, it shows how large the own error of a healthy layer is;
- *plain*: each op of the artifact in float on the artifact's operands and weights. What the
  artifact gives besides is the op's arithmetic error.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from edgenn.drift.explain.matching import Match, is_real, read_by
from edgenn.drift.explain.names import layers_of
from edgenn.drift.explain.twin import Rounder
from edgenn.ir.graph import Graph, Op
from edgenn.ir.ops import Dequantize, Quantize
from edgenn.ir.ops.fused_lstm import FusedLstm
from edgenn.ir.ops.recurrent import Recurrent
from edgenn.ir.ops.scan import Scan
from edgenn.ir.tensor import Tensor

OPAQUE = (Scan, FusedLstm, Recurrent)
"""Ops of many steps: there is no arithmetic error of one rounding."""


@dataclass(frozen=True)
class SharedTensor:
    """A tensor of both graphs, and what stands for it in the comparison.

    Attributes:
        name: In the float graph.
        actual: In the artifact.
        free, forced, layered, twin: In the comparison graph.
    """

    name: str
    actual: str
    free: str
    forced: str
    layered: str
    twin: str


@dataclass(frozen=True)
class Arithmetic:
    """An op of the artifact.

    Attributes:
        actual: The artifact's tensor that it makes.
        plain: What the op gives in float, in the comparison graph; or, where ``is_actual``, the
            artifact's tensor whose value it should give as it is.
    """

    op: Op
    actual: str
    plain: str
    is_actual: bool = False


@dataclass
class Comparison:
    """The graph and what its tensors mean.

    Attributes:
        graph: Its inputs are the samples (``sample:`` + public name) and dequantised tensors of
            the artifact (``actual:`` + name).
        shared: In the order of the float graph.
        arithmetic: In the order of the artifact.
    """

    graph: Graph
    shared: list[SharedTensor] = field(default_factory=list)
    arithmetic: list[Arithmetic] = field(default_factory=list)


def compare(reference: Graph, artifact: Graph, found: Match) -> Comparison:
    """Builds the comparison.

    Args:
        reference: The float graph in the form of the artifact.
    """
    return _Writer(reference, artifact, found).run()


class _Writer:
    """The comparison graph under construction."""

    def __init__(self, reference: Graph, artifact: Graph, found: Match) -> None:
        self.reference = reference
        self.artifact = artifact
        self.found = found
        self.rounder = Rounder(reference, artifact, found)
        self.targets = targets(reference, found)
        self.tensors: dict[str, Tensor] = {
            name: tensor for name, tensor in reference.tensors.items() if tensor.is_constant
        }
        self.ops: list[Op] = []
        self.inputs: dict[str, str] = {}
        self.free: dict[str, str] = {}
        self.forced: dict[str, str] = {}
        self.layered: dict[str, str] = {}
        self.twin: dict[str, str] = {}
        self.owner = layers_of(reference)
        self._sources: dict[str, dict[str, str]] = {}

    def run(self) -> Comparison:
        for public, name in self.reference.inputs.items():
            sample = self.input(f"sample:{public}", self.reference.tensors[name])
            for run in (self.free, self.forced, self.layered, self.twin):
                run[name] = sample
        for op in self.reference.ops:
            self.add_free(op)
            self.add_forced(op)
        shared = [
            SharedTensor(
                name,
                actual,
                self.free[name],
                self.forced[name],
                self.layered[name],
                self.twin[name],
            )
            for name, actual in self.found.actual.items()
        ]
        arithmetic = list(self.arithmetic())
        wanted = [run for n in shared for run in (n.free, n.forced, n.layered, n.twin)]
        wanted += [entry.plain for entry in arithmetic if not entry.is_actual]
        given = set(self.inputs.values())
        outputs = {name: name for name in wanted if name not in given}
        whole = Graph("comparison", self.tensors, tuple(self.ops), self.inputs, outputs)
        graph = whole.pruned()
        read = {name for op in graph.ops for name in op.inputs}
        inputs = {public: name for public, name in graph.inputs.items() if name in read}
        return Comparison(graph.with_(inputs=inputs), shared, arithmetic)

    def input(self, name: str, like: Tensor) -> str:
        """A float input of the graph; each is made once."""
        if name not in self.tensors:
            dtype = "float32" if is_real(like) else like.dtype
            self.tensors[name] = Tensor(name, like.shape, dtype)
            self.inputs[name] = name
        return name

    def actual(self, name: str) -> str:
        """A tensor of the artifact, in real numbers."""
        return self.input(f"actual:{name}", self.artifact.tensors[name])

    def add(self, op: Op, run: str, inputs: list[str], like: Graph) -> list[str]:
        """Adds an op whose results are called like the original's with a prefix."""
        outputs = [f"{run}:{name}" for name in op.outputs]
        for output, name in zip(outputs, op.outputs, strict=True):
            tensor = like.tensors[name]
            dtype = "float32" if is_real(tensor) else tensor.dtype
            self.tensors[output] = Tensor(output, tensor.shape, dtype)
        self.ops.append(Op(outputs[0], op.operator, tuple(inputs), tuple(outputs)))
        return outputs

    def add_free(self, op: Op) -> None:
        inputs = [self.free.get(name, name) for name in op.inputs]
        self.free.update(zip(op.outputs, self.add(op, "free", inputs, self.reference), strict=True))

    def add_forced(self, op: Op) -> None:
        """The op on the artifact's operands, and its twin where that is another computation."""
        inputs = [self.operand(op, name, self.forced) for name in op.inputs]
        outputs = self.add(op, "forced", inputs, self.reference)
        self.forced.update(zip(op.outputs, outputs, strict=True))
        whole = [self.operand_of_layer(op, name) for name in op.inputs]
        layered = outputs if whole == inputs else self.add(op, "layered", whole, self.reference)
        self.layered.update(zip(op.outputs, layered, strict=True))
        rounded = self.rounder.rounded(op)
        for tensor in rounded.constants:
            self.tensors[tensor.name] = tensor
        others = [self.operand(op, name, self.twin) for name in rounded.op.inputs]
        if others != inputs or rounded.op.operator is not op.operator:
            outputs = self.add(rounded.op, "twin", others, self.reference)
        self.twin.update(zip(op.outputs, outputs, strict=True))

    def operand(self, op: Op, name: str, run: Mapping[str, str]) -> str:
        """What an op reads: the artifact's value where there is one, else what the run has."""
        if name in self.tensors and self.tensors[name].is_constant:
            return name
        if name not in self.found.actual:
            return run[name]
        return self.actual(self.sources(op).get(name, self.found.actual[name]))

    def operand_of_layer(self, op: Op, name: str) -> str:
        """What an op reads where only whole layers are forced."""
        if self.owner.get(name) == self.owner[op.outputs[0]]:
            return self.layered[name]
        return self.operand(op, name, self.layered)

    def sources(self, op: Op) -> dict[str, str]:
        """The artifact's tensors that the layer around an op reads, by their shared names."""
        target = self.targets.get(op.name)
        if target is None:
            return {}
        if target not in self._sources:
            actual = self.found.actual[target]
            self._sources[target] = read_by(self.artifact, actual, self.found.meaning)
        return self._sources[target]

    def arithmetic(self) -> Iterator[Arithmetic]:
        for op in self.artifact.ops:
            tensors = self.artifact.tensors
            if isinstance(op.operator, OPAQUE) or not all(
                tensors[name].quantization is not None for name in op.outputs
            ):
                continue
            if isinstance(op.operator, Quantize | Dequantize):
                if not tensors[op.inputs[0]].is_constant:
                    yield Arithmetic(op, op.output, op.inputs[0], is_actual=True)
                continue
            inputs = [self.plain_operand(name) for name in op.inputs]
            outputs = self.add(op, "plain", inputs, self.artifact)
            for actual, plain in zip(op.outputs, outputs, strict=True):
                yield Arithmetic(op, actual, plain)

    def plain_operand(self, name: str) -> str:
        """An operand of the artifact in real numbers."""
        tensor = self.artifact.tensors[name]
        if not tensor.is_constant:
            return self.actual(name)
        constant = f"constant:{name}"
        if constant not in self.tensors:
            data = tensor.real()
            if tensor.quantization is not None:
                data = data.astype("float32")
            self.tensors[constant] = Tensor.constant(constant, data)
        return constant


def targets(reference: Graph, found: Match) -> dict[str, str]:
    """Op of the float graph → the first shared tensor that it leads to."""
    result: dict[str, str] = {}
    for op in reversed(reference.ops):
        own = [name for name in op.outputs if name in found.actual]
        later = [
            result[reader.name]
            for name in op.outputs
            for reader in reference.consumers[name]
            if reader.name in result
        ]
        if own or later:
            result[op.name] = (own or later)[0]
    return result
