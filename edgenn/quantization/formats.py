"""Which integers each op computes in, where loops or layers have others than the rest."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.flat_loops import StepInput, inside
from edgenn.ir.graph import Graph, Op
from edgenn.ir.ops import Quantize
from edgenn.ir.precision import WIDE, ops_in
from edgenn.ir.tensor import Tensor
from edgenn.quantization.parameters import Range
from edgenn.quantization.schemes import INTEGER_FORMATS, Gates, IntegerFormat, Scheme

GATE_FORMATS: Mapping[Gates, IntegerFormat] = {
    Gates.INT8: INTEGER_FORMATS[Scheme.INT8],
    Gates.INT16: INTEGER_FORMATS[Scheme.INT16X8],
}

SIXTEEN: Final = INTEGER_FORMATS[Scheme.INT16X8]

FormatOf = Callable[[Op], IntegerFormat]


def format_of_ops(
    graph: Graph, scheme: Scheme, gates: Gates, wide: frozenset[str] = frozenset()
) -> FormatOf:
    """The integers of each op: those asked for, the loops' own, and the scheme's everywhere else.

    Args:
        graph: With its loops laid flat.
        wide: Ops whose results have 16 bits whatever the scheme, besides those of layers for
            which 16 bits were asked.
    """
    default = INTEGER_FORMATS[scheme]
    special = GATE_FORMATS.get(gates, default)
    region = loop_ops(graph) if special != default else frozenset()
    sixteen = wide | ops_in(graph, WIDE)

    def format_of(op: Op) -> IntegerFormat:
        if op.name in sixteen:
            return SIXTEEN
        return special if op.name in region else default

    return format_of


def format_of_tensors(graph: Graph, scheme: Scheme, gates: Gates) -> Callable[[str], IntegerFormat]:
    """The integers that each tensor is made in: those of the op that makes it."""
    format_of, default = format_of_ops(graph, scheme, gates), INTEGER_FORMATS[scheme]
    formats = wide_inputs(graph)
    formats.update({name: format_of(op) for op in graph.ops for name in op.outputs})
    return lambda name: formats.get(name, default)


def wide_inputs(graph: Graph) -> dict[str, IntegerFormat]:
    """The inputs that only layers read for which 16 bits were asked."""
    sixteen = ops_in(graph, WIDE)
    return {
        name: SIXTEEN
        for name in graph.inputs.values()
        if sixteen.issuperset(op.name for op in graph.consumers[name]) and graph.consumers[name]
    }


def loop_ops(graph: Graph) -> frozenset[str]:
    """The ops of loops, and those outside that do nothing but feed one: input projections."""
    loops = inside(graph)
    names = set(loops)
    for op in reversed(graph.ops):
        readers = [reader for name in op.outputs for reader in graph.consumers[name]]
        feeds = readers and all(isinstance(reader.operator, StepInput) for reader in readers)
        if feeds and op.operator.weight_axes and not any(map(graph.is_output, op.outputs)):
            names.add(op.name)
    return frozenset(names)


@dataclass(frozen=True)
class Formatted:
    """A float graph whose ops all read tensors of their own format.

    Attributes:
        graph: With a ``Quantize`` wherever a value goes from one format to another.
        ranges: Of every computed tensor, those behind a ``Quantize`` included.
        formats: Of tensors.
    """

    graph: Graph
    ranges: Mapping[str, Range]
    formats: Callable[[str], IntegerFormat]


def formatted(
    graph: Graph,
    ranges: Mapping[str, Range],
    format_of: FormatOf,
    default: IntegerFormat,
    floats: frozenset[str] = frozenset(),
) -> Formatted:
    """Puts conversions where ops of different formats meet.

    Inputs and outputs of the graph have the default format, but for those of layers for which 16
    bits were asked.

    Args:
        floats: Names of ops that read real numbers, whatever integers they are stored in.
    """
    formats = wide_inputs(graph)
    formats.update({name: format_of(op) for op in graph.ops for name in op.outputs})
    writer = _Writer(graph, ranges, formats, default)
    for op in graph.ops:
        if op.name in floats:
            writer.builder.ops.append(op)
        else:
            writer.add(op, format_of(op))
    wide = ops_in(graph, WIDE)
    sixteen = {name for op in graph.ops if op.name in wide for name in op.outputs}
    outputs = {
        public: writer.read(name, SIXTEEN if name in sixteen else default)
        for public, name in graph.outputs.items()
    }
    result = writer.builder.finish(outputs).with_(metadata=graph.metadata)
    return Formatted(result, writer.ranges, lambda name: formats.get(name, default))


class _Writer:
    """The graph under construction; each conversion is made once."""

    def __init__(
        self,
        graph: Graph,
        ranges: Mapping[str, Range],
        formats: dict[str, IntegerFormat],
        default: IntegerFormat,
    ) -> None:
        self.builder = GraphBuilder.from_graph(graph)
        self.ranges = dict(ranges)
        self._formats = formats
        self._default = default
        self._converted: dict[tuple[str, IntegerFormat], str] = {}

    def add(self, op: Op, wanted: IntegerFormat) -> None:
        inputs = tuple(self.read(name, wanted) for name in op.inputs)
        self.builder.ops.append(Op(op.name, op.operator, inputs, op.outputs))

    def read(self, name: str, wanted: IntegerFormat) -> str:
        """The tensor in the format that its reader wants."""
        tensor = self.builder.tensors[name]
        if tensor.dtype != "float32":
            return name
        if tensor.is_constant:  # the first reader says what it is
            known = self._formats.setdefault(name, wanted)
        else:
            known = self._formats.get(name, self._default)
        if known == wanted:
            return name
        key = (name, wanted)
        if key not in self._converted:
            self._converted[key] = self._convert(tensor, wanted)
        return self._converted[key]

    def _convert(self, tensor: Tensor, wanted: IntegerFormat) -> str:
        new = self.builder.unique(f"{tensor.name}/{wanted.activation}")
        self.builder.tensors[new] = tensor.with_(name=new)
        self._formats[new] = wanted
        if not tensor.is_constant:
            self.ranges[new] = self.ranges[tensor.name]
            operator = Quantize(wanted.activation)
            self.builder.ops.append(Op(new, operator, (tensor.name,), (new,)))
        return new
