"""Float graph → full-integer graph, following an assignment."""

from collections.abc import Callable, Mapping

from edgenn.errors import UnsupportedError
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.flat_loops import inside
from edgenn.ir.graph import Graph, Op
from edgenn.ir.grids import with_grids
from edgenn.ir.operator import OutputRule
from edgenn.ir.ops import Dequantize, Quantize
from edgenn.ir.ops.fused_lstm import LOOP_STATES, FusedLstm
from edgenn.ir.precision import KEPT, is_kept, ops_in
from edgenn.ir.tensor import Array, Quantization, Tensor
from edgenn.quantization.assignment import assign, data_inputs, is_dynamic_weight, is_real
from edgenn.quantization.float_parts import float_ops, wide_tables
from edgenn.quantization.float_weights import NO_WEIGHTS, RoundedWeights
from edgenn.quantization.formats import FormatOf, Formatted, format_of_ops, formatted
from edgenn.quantization.fused_lstm import integer_weights, with_cell_range
from edgenn.quantization.parameters import (
    Range,
    activation_quantization,
    quantize_bias,
    quantize_weights,
    weight_scales,
)
from edgenn.quantization.schemes import INTEGER_FORMATS, Gates, Scheme
from edgenn.quantization.weights import with_integer_weights


def float_islands(graph: Graph, format_of: FormatOf) -> list[Op]:
    """The ops on real numbers for which TFLite has no kernel in their dtype."""
    return [
        op
        for op in graph.ops
        if touches_real_numbers(graph, op)
        and format_of(op).activation not in op.operator.integer_dtypes
        and not op.operator.mixed_precision
    ]


def float_parts(graph: Graph, gates: Gates) -> frozenset[str]:
    """The ops that compute in float: layers that are to, and those with float gates.

    What follows float gates computes in float, too; behind a layer whose gates alone are in
    float, among others in integers, integers go on.
    """
    kept = ops_in(graph, KEPT)
    return kept | float_ops(graph, kept if gates is not Gates.FLOAT32 else ())


def touches_real_numbers(graph: Graph, op: Op) -> bool:
    return any(is_real(graph.tensors[name]) for name in (*op.inputs, *op.outputs))


def quantize_integer(
    graph: Graph,
    scheme: Scheme,
    ranges: Mapping[str, Range],
    *,
    gates: Gates = Gates.FLOAT32,
    allow_float: bool = False,
    weights: RoundedWeights = NO_WEIGHTS,
) -> Graph:
    """Writes the graph in integers; inputs and outputs become integers too.

    Args:
        graph: With its loops laid flat where ``gates`` are integers.
        ranges: Calibrated range of every computed real tensor.
        gates: The precision inside of loops.
        weights: Those of float ops, as far as they are known; others are rounded by themselves,
            but for layers that stay in float.
        allow_float: Leave ops without an integer kernel in float, between a dequantize and a
            quantize; otherwise they are an error.

    Raises:
        UnsupportedError: Ops without an integer kernel, all of them named.
    """
    parts = float_parts(graph, gates)
    format_of = format_of_ops(graph, scheme, gates, wide_tables(graph, parts))
    islands = [op for op in float_islands(graph, format_of) if op.name not in parts]
    if islands and not allow_float:
        named = ", ".join(f"{op.name} ({op.kind})" for op in islands[:5])
        more = f" and {len(islands) - 5} more" if len(islands) > 5 else ""
        dtype = format_of(islands[0]).activation
        hint = "--allow-float keeps these ops in float32"
        in_loops = inside(graph)
        if dtype == "int16" and all(op.name in in_loops for op in islands):
            hint += f"; --rnn-precision {Gates.FLOAT32} or {Gates.INT8} have them"
        raise UnsupportedError(f"no {dtype} kernel for {named}{more}", hint)
    floats = frozenset([*parts, *(op.name for op in islands)])
    source = formatted(graph, ranges, format_of, INTEGER_FORMATS[scheme], floats)
    rewriter = _Rewriter(source, floats)
    integer = rewriter.run()
    grids = {rewriter.in_float(name): rewriter.grid(name) for name in weights.coarse}
    return with_grids(
        with_integer_weights(integer, lambda op: takes_float(integer, op), weights.tensors), grids
    )


def takes_float(graph: Graph, op: Op) -> bool:
    """Whether the op multiplies real numbers with weights in int8."""
    if is_kept(graph, op):
        return False
    if op.operator.mixed_precision:
        return True
    return bool(op.operator.weight_axes) and graph.tensors[op.inputs[0]].dtype == "float32"


class _Rewriter:
    """Rebuilds a graph op by op, every real tensor in its assigned integers."""

    def __init__(self, source: Formatted, floats: frozenset[str]) -> None:
        self.graph = graph = source.graph
        self.formats = source.formats
        self.ranges = source.ranges
        self.floats = floats
        self.assignment = assign(graph, source.ranges, self.formats, floats)
        self.builder = GraphBuilder.from_graph(graph)
        self._converted: dict[tuple[str, object], str] = {}
        self._renewed: set[str] = set()

    def run(self) -> Graph:
        for name, tensor in self.graph.tensors.items():
            if is_real(tensor) and not tensor.is_constant:
                self.builder.tensors[name] = self.in_integers(tensor)
        for op in self.graph.ops:
            if op.name in self.floats:
                self.float_op(op)
            elif touches_real_numbers(self.graph, op):
                self.integer_op(op)
            else:
                self.builder.ops.append(op)
        return self.builder.finish(self.graph.outputs).with_(metadata=self.graph.metadata)

    def in_float(self, name: str) -> str:
        """What float ops read of a tensor."""
        return self._converted.get((name, None), name)

    def grid(self, name: str) -> Quantization:
        """The int8 grid of everything that a tensor was seen to hold."""
        format_ = INTEGER_FORMATS[Scheme.INT8]
        range_ = self.ranges.get(name, Range(0.0, 0.0))
        return activation_quantization(range_, format_.activation, symmetric=format_.symmetric)

    def parameters(self, name: str) -> Quantization:
        return self.assignment.parameters[name]

    def in_integers(self, tensor: Tensor) -> Tensor:
        dtype = self.formats(tensor.name).activation
        return tensor.with_(dtype=dtype, quantization=self.parameters(tensor.name))

    def integer_op(self, op: Op) -> None:
        activations = set(data_inputs(self.graph, op))
        inputs = list(op.inputs)
        for index, name in enumerate(op.inputs):
            if name in activations:
                inputs[index] = self.activation(op, name)
        operator = op.operator
        if isinstance(operator, FusedLstm):
            operator = self.fused_lstm(op, operator, inputs)
        else:
            self.quantize_weights(op, inputs)
        self.builder.ops.append(Op(op.name, operator, tuple(inputs), op.outputs))

    def activation(self, op: Op, name: str) -> str:
        """The tensor in the parameters that ``op`` needs it in."""
        wanted = self.assignment.entries.get((op.name, name), self.parameters(name))
        dtype = self.formats(name).activation
        if self.graph.tensors[name].is_constant:
            return self.constant(name, wanted, lambda data: wanted.quantize(data, dtype))
        if wanted == self.parameters(name):
            return name
        return self.convert(name, "requantized", Quantize(dtype), wanted)

    def constant(
        self, name: str, wanted: Quantization, integers_of: Callable[[Array], Array]
    ) -> str:
        """A constant in integers; each representation is made once.

        It has its own name while that is free, for that is the thread to the Keras layer.
        """
        key = (name, wanted)
        if key not in self._converted:
            data = self.graph.tensors[name].data
            assert data is not None
            read_in_float = any(op.name in self.floats for op in self.graph.consumers[name])
            is_free = name not in self._renewed and not read_in_float
            fresh = name if is_free else self.builder.unique(name)
            self.builder.tensors[fresh] = Tensor.constant(fresh, integers_of(data), wanted)
            self._renewed.add(name)
            self._converted[key] = fresh
        return self._converted[key]

    def convert(
        self, name: str, suffix: str, operator: Quantize | Dequantize, wanted: Quantization | None
    ) -> str:
        """The tensor in another representation; each one is made once."""
        key = (name, wanted)
        if key not in self._converted:
            output = self.builder.add(operator, [name], f"{name}/{suffix}")
            tensor = self.builder.tensors[output]
            self.builder.tensors[output] = tensor.with_(quantization=wanted)
            self._converted[key] = output
        return self._converted[key]

    def quantize_weights(self, op: Op, inputs: list[str]) -> None:
        """Weights to int8 per channel, the bias to the accumulator's scale."""
        for index, axis in op.operator.weight_axes.items():
            if is_dynamic_weight(self.graph, op, index):
                continue
            weights = self.graph.tensors[op.inputs[index]]
            bias_index = op.operator.bias_input
            bias = None
            if bias_index is not None and bias_index < len(inputs):
                bias = self.graph.tensors[op.inputs[bias_index]]
            input_scale = self.scale_of(inputs[0])
            assert weights.data is not None
            scales = weight_scales(
                weights.data, axis, None if bias is None else bias.data, input_scale
            )
            inputs[index] = self.weights(weights.name, scales, axis)
            if bias is not None and bias_index is not None:
                dtype = self.formats(op.inputs[0]).bias
                inputs[bias_index] = self.bias(bias.name, scales * input_scale, dtype)

    def fused_lstm(self, op: Op, lstm: FusedLstm, inputs: list[str]) -> FusedLstm:
        """Weights with one scale a matrix, and steps for the cell state."""
        x = self.builder.tensors[inputs[0]].quantization
        assert x is not None
        constants = [self.graph.tensors[name] for name in op.inputs[1:]]
        for tensor in integer_weights(constants, x):
            self.builder.tensors[tensor.name] = tensor
        _, cell = self.graph.metadata[LOOP_STATES][op.output]
        return with_cell_range(lstm, self.ranges[cell])

    def weights(self, name: str, scales: Array, axis: int) -> str:
        wanted = Quantization.per_channel(scales, axis)
        return self.constant(name, wanted, lambda data: quantize_weights(data, scales, axis))

    def bias(self, name: str, scales: Array, dtype: str) -> str:
        wanted = Quantization.per_channel(scales, 0)
        return self.constant(name, wanted, lambda data: quantize_bias(data, wanted.scale, dtype))

    def scale_of(self, name: str) -> float:
        quantization = self.builder.tensors[name].quantization
        assert quantization is not None
        return float(quantization.scale[0])

    def float_op(self, op: Op) -> None:
        """Leaves the op in float: its inputs are dequantised, its outputs quantised again."""
        inputs = []
        for name in op.inputs:
            tensor = self.graph.tensors[name]
            computed = is_real(tensor) and not tensor.is_constant
            inputs.append(
                self.convert(name, "dequantized", Dequantize(), None) if computed else name
            )
        outputs = []
        requantized = []
        for name in op.outputs:
            tensor = self.graph.tensors[name]
            if not is_real(tensor) or op.operator.output_rule is OutputRule.NONE:
                outputs.append(name)
                continue
            raw = tensor.with_(name=self.builder.unique(f"{name}/float"))
            self.builder.tensors[raw.name] = raw
            self._converted[name, None] = raw.name  # what a float op behind this one reads
            outputs.append(raw.name)
            operator = Quantize(self.formats(name).activation)
            requantized.append(Op(name, operator, (raw.name,), (name,)))
        self.builder.ops.append(Op(outputs[0], op.operator, tuple(inputs), tuple(outputs)))
        self.builder.ops.extend(requantized)
