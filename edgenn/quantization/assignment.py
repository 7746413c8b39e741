"""Decides the parameters of every activation tensor of a full-integer graph.

Tensors that an operator only moves (``OutputRule.SAME_AS_INPUT``) share one scale; they form
groups. A group's range is the union of its members' ranges. A tensor with parameters that
TFLite prescribes (softmax, logistic, tanh …) keeps them; its group takes them over when nothing
else flows into it, otherwise the tensor is requantised where it enters.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from edgenn.ir.flat_loops import LoopEnd
from edgenn.ir.graph import Graph, Op
from edgenn.ir.operator import FixedOutput, OutputRule
from edgenn.ir.ops import Select
from edgenn.ir.tensor import Quantization, Tensor
from edgenn.quantization.parameters import Range, activation_quantization
from edgenn.quantization.schemes import IntegerFormat

TensorFormats = Callable[[str], IntegerFormat]
"""Tensor → the integers that it is stored in."""

FAR: Final = 1000.0
"""How many times larger than everything computed a constant is that may saturate."""
FILL_MARGIN: Final = 12.0
"""exp(-12) = 6e-6: what lies so far below the other logits gets no step of 8-bit probability."""


@dataclass(frozen=True)
class Assignment:
    """The outcome.

    Attributes:
        parameters: Tensor → parameters it is stored in.
        entries: ``(op name, input tensor)`` → parameters the op needs that input in, where
            they differ from the tensor's own.
    """

    parameters: Mapping[str, Quantization]
    entries: Mapping[tuple[str, str], Quantization]


class Groups:
    """Disjoint sets of tensors that share one scale."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def find(self, name: str) -> str:
        root = name
        while self._parent.get(root, root) != root:
            root = self._parent[root]
        while self._parent.get(name, name) != root:
            self._parent[name], name = root, self._parent.get(name, name)
        return root

    def join(self, a: str, b: str) -> None:
        self._parent[self.find(b)] = self.find(a)


def is_real(tensor: Tensor) -> bool:
    """Whether the tensor holds real numbers (not indices, not conditions)."""
    return tensor.dtype == "float32"


def data_inputs(graph: Graph, op: Op) -> list[str]:
    """The inputs that are activations: real, and neither weights nor bias."""
    operator = op.operator
    chosen = operator.data_inputs
    return [
        name
        for index, name in enumerate(op.inputs)
        if (chosen is None or index in chosen or is_dynamic_weight(graph, op, index))
        and is_real(graph.tensors[name])
    ]


def is_dynamic_weight(graph: Graph, op: Op, index: int) -> bool:
    """Weights that are computed are quantised like any activation."""
    return index in op.operator.weight_axes and not graph.tensors[op.inputs[index]].is_constant


def fixed_parameters(
    graph: Graph, formats: TensorFormats, floats: frozenset[str]
) -> dict[str, Quantization]:
    """Tensor → parameters that TFLite prescribes for the op that makes it."""
    return {
        name: op.operator.output_rule.for_dtype(formats(name).activation)
        for op in graph.ops
        if isinstance(op.operator.output_rule, FixedOutput) and op.name not in floats
        for name in op.outputs
    }


def assign(
    graph: Graph, ranges: Mapping[str, Range], formats: TensorFormats, floats: frozenset[str]
) -> Assignment:
    """Chooses parameters for every real tensor.

    Args:
        ranges: Calibrated range of every computed real tensor.
        formats: The integers of each tensor; ops that move values read and give the same.
        floats: Names of ops that stay in float; they neither join nor prescribe.
    """
    fixed = fixed_parameters(graph, formats, floats)
    groups = Groups()
    movers = [op for op in graph.ops if shares_scale(op) and op.name not in floats]
    tied = [(op, tie) for op in movers for tie in ties(graph, op)]
    for _, (inputs, outputs) in tied:
        for name in (*inputs, *outputs):
            groups.join(outputs[0], name)
    members: dict[str, list[str]] = {}
    for name, tensor in graph.tensors.items():
        if is_real(tensor):
            members.setdefault(groups.find(name), []).append(name)
    shared = {
        root: group_parameters(graph, names, ranges, fixed, formats(names[0]))
        for root, names in members.items()
    }
    parameters = {
        name: fixed.get(name, shared[root]) for root, names in members.items() for name in names
    }
    entries = {
        (op.name, name): parameters[outputs[0]]
        for op, (inputs, outputs) in tied
        for name in inputs
        if parameters[name] != parameters[outputs[0]]
    }
    return Assignment(parameters, entries)


def shares_scale(op: Op) -> bool:
    return op.operator.output_rule is OutputRule.SAME_AS_INPUT


def ties(graph: Graph, op: Op) -> list[tuple[list[str], list[str]]]:
    """Which inputs of a mover share one scale with which outputs: mostly all with all."""
    if isinstance(op.operator, LoopEnd):
        return op.operator.ties(op.inputs, op.outputs)
    return [(data_inputs(graph, op), list(op.outputs))]


def group_parameters(
    graph: Graph,
    names: list[str],
    ranges: Mapping[str, Range],
    fixed: Mapping[str, Quantization],
    format_: IntegerFormat,
) -> Quantization:
    """One set of parameters for a whole group.

    What every source of the group prescribes, else what holds the members' ranges. A source is
    a member that no moving op makes.
    """
    sources = [n for n in names if n not in graph.producers or not shares_scale(graph.producers[n])]
    prescribed = {fixed.get(name) for name in sources}
    if len(prescribed) == 1 and (only := prescribed.pop()) is not None:
        return only
    total = group_range(graph, names, sources, ranges)
    return activation_quantization(total, format_.activation, symmetric=format_.symmetric)


def group_range(
    graph: Graph, names: list[str], sources: list[str], ranges: Mapping[str, Range]
) -> Range:
    """The union of the members' ranges, but for constants far outside of all that is computed.

    Such constants mean "nothing" (a mask's fill before a softmax) or "no bound"; a grid that
    held them would hold nothing else. They saturate, a fill at a distance at which softmax gives
    nothing any more.
    """
    computed = union(ranges[name] for name in sources if name in ranges)
    constants = {n: Range.of(d) for n in names if (d := graph.tensors[n].data) is not None}
    far = [name for name, range_ in constants.items() if computed and is_far(range_, computed)]
    if not computed or not far:
        total = union([*constants.values(), *(ranges[name] for name in names if name in ranges)])
        assert total is not None
        return total
    near = [range_ for name, range_ in constants.items() if name not in far]
    total = union([computed, *near])
    assert total is not None
    for name in far:
        if any(isinstance(op.operator, Select) for op in graph.consumers[name]):
            below, above = constants[name].low < total.low, constants[name].high > total.high
            total = Range(total.low - FILL_MARGIN * below, total.high + FILL_MARGIN * above)
    return total


def is_far(constant: Range, computed: Range) -> bool:
    """Whether a constant is of another order of magnitude than everything computed."""
    largest = max(abs(computed.low), abs(computed.high), 1.0)
    return max(abs(constant.low), abs(constant.high)) > FAR * largest


def union(ranges: Iterable[Range]) -> Range | None:
    total: Range | None = None
    for range_ in ranges:
        total = range_ if total is None else total.union(range_)
    return total
