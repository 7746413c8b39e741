"""What emitters write into: the values of the graph's tensors, in the orders they exist in.

A tensor of rank 3 or more may exist channels-last, channels-first, or both. Emitters say which
order they need; a value in the other order is made when it is first asked for, and kept.
"""

from collections.abc import Hashable, Sequence
from typing import Any

from edgenn.errors import UnsupportedError
from edgenn.export.onnx.dtypes import ELEMENT_TYPES
from edgenn.export.onnx.layouts import (
    Order,
    channels_first,
    channels_last,
    lifted,
    moves_only_units,
    permutation,
    reordered,
    time_first,
)
from edgenn.export.onnx.padding import folded_pads
from edgenn.export.onnx.quantization import dequantized, on_grid, reaxed, stored_integers
from edgenn.export.onnx.recurrent.pairs import directions
from edgenn.export.onnx.writer import Writer
from edgenn.ir.graph import Graph
from edgenn.ir.ops import Dequantize
from edgenn.ir.tensor import Shape, Tensor


class Context(Writer):
    """An ONNX graph, filled op by op.

    Quantised tensors are float32 values on the grid of their integers; see ``quantization``.

    Attributes:
        folded_pads: Padded tensor → the pad that convolutions take over.
        directions: Recurrent op → the ops that are written as one with it; see ``pairs``.
        made: What several ops share besides tensors, by a key that says what it is.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__({*graph.tensors, *graph.inputs, *graph.outputs})
        self.graph = graph
        self.folded_pads = folded_pads(graph)
        self.directions = directions(graph)
        self.made: dict[Hashable, Any] = {}
        self._forms: dict[str, dict[Order, str]] = {}
        self._integers: dict[tuple[str, Order], str] = {}
        self._constants: dict[tuple[str, Order, Shape], str] = {}
        self._halves = {
            op.output: op.inputs[0]
            for op in graph.ops
            if isinstance(op.operator, Dequantize) and graph.tensors[op.inputs[0]].is_constant
        }

    # what there is

    def tensor(self, name: str) -> Tensor:
        return self.graph.tensors[name]

    def is_constant(self, name: str) -> bool:
        """Whether the numbers are in the file, in whatever dtype."""
        return self.stored(name).is_constant

    def stored(self, name: str) -> Tensor:
        """A tensor; of a constant that is widened from float16, what the file holds."""
        return self.tensor(self._halves.get(name, name))

    def forms(self, name: str) -> dict[Order, str]:
        """The orders in which a computed tensor exists, and its values."""
        return dict(self._forms[name])

    def is_free(self, name: str, order: Order) -> bool:
        """Whether a tensor can be read in an order without a transpose.

        Args:
            order: Of the tensor lifted to the order's rank by ones in front.
        """
        if self.is_constant(name):
            return True
        shape = self.tensor(name).shape
        wide, missing = lifted(shape, len(order)), len(order) - len(shape)
        return any(
            moves_only_units(wide, order, (*range(missing), *(axis + missing for axis in form)))
            for form in self._forms[name]
        )

    def common_order(self, names: Sequence[str], rank: int | None = None) -> Order:
        """The order that costs an op the fewest transposes, if it can work in either.

        Among equals channels-first, where any input exists in it: that way a network that has
        gone channels-first for a convolution stays so. Time-first only where it costs less.

        Args:
            rank: To which the inputs broadcast; by default the highest there is.
        """
        rank = max(self.tensor(name).rank for name in names) if rank is None else rank
        first, last, time = channels_first(rank), channels_last(rank), time_first(rank)
        exists = {order for name in names for order in self._forms.get(name, {})}
        costs = {o: sum(not self.is_free(name, o) for name in names) for o in (first, last, time)}
        best = first if first in exists and costs[first] <= costs[last] else last
        return time if time in exists and costs[time] < costs[best] else best

    # reading

    def value(self, name: str, order: Order | None = None) -> str:
        """A tensor as real numbers, in an order (default: channels-last)."""
        tensor = self.tensor(name)
        order = order or channels_last(tensor.rank)
        if self.is_constant(name):
            return self.constant(name, order)
        forms = self._forms[name]
        if order not in forms:
            source, value = next(iter(forms.items()))
            self._bind(tensor, self.permuted(value, tensor.shape, source, order), order)
        return forms[order]

    def integers(self, name: str, order: Order) -> str:
        """A computed quantised tensor as integers, the way the file holds them."""
        self.value(name, order)
        return self._integers[name, order]

    def channels_first(self, name: str) -> str:
        return self.value(name, channels_first(self.tensor(name).rank))

    def operand(self, name: str, order: Order) -> str:
        """An input that broadcasts to the order's rank, in that order."""
        tensor = self.tensor(name)
        rank = len(order)
        if tensor.rank == rank:
            return self.value(name, order)
        if tensor.rank == 0 or order == channels_last(rank):
            return self.value(name)  # ONNX broadcasts it as NumPy does
        wide = lifted(tensor.shape, rank)
        if self.is_constant(name):
            return self.constant(name, order, wide)
        axes = self.attribute("axes", range(rank - tensor.rank))
        value = self.node("Unsqueeze", [self.value(name), axes])
        return self.permuted(value, wide, channels_last(rank), order)

    def weight(self, name: str, order: Order) -> str:
        """A kernel with its axes in ONNX's order; a computed one is transposed at run time."""
        if self.is_constant(name):
            return self.constant(name, order)
        shape = self.tensor(name).shape
        return self.permuted(self.value(name), shape, channels_last(len(shape)), order)

    def flat(self, name: str) -> str | None:
        """A value whose numbers follow each other as in the graph, whatever its shape."""
        if self.is_constant(name):
            return self.value(name)
        shape = self.tensor(name).shape
        return next(
            (v for order, v in self._forms[name].items() if moves_only_units(shape, order)), None
        )

    def constant(self, name: str, order: Order, shape: Shape | None = None) -> str:
        """A constant as real numbers, in an order; small dtypes are widened in the file's graph.

        Args:
            order: Of its axes once it has ``shape``.
            shape: What to reshape it to first: its own with ones in front or behind.
        """
        shape = self.tensor(name).shape if shape is None else shape
        key = (name, order, shape)
        if key not in self._constants:
            self._constants[key] = self._new_constant(name, order, shape)
        return self._constants[key]

    def _new_constant(self, name: str, order: Order, shape: Shape) -> str:
        stored = self.stored(name)
        assert stored.data is not None
        data = stored.data.reshape([size or 0 for size in shape]).transpose(order)
        if stored.quantization is not None:
            offset = 0 if shape[: stored.rank] == stored.shape else len(shape) - stored.rank
            integers = self.initializer(
                self.fresh(f"{name}/quantized"), stored_integers(data, stored.quantization)
            )
            moved = reaxed(stored.quantization, lambda axis: order.index(axis + offset))
            value = dequantized(integers, moved, stored.dtype, self)
        elif stored.name != name:
            half = self.initializer(self._own_name(stored.name, order), data)
            value = self.node("Cast", [half], to=ELEMENT_TYPES["float32"])
        else:
            return self.initializer(self._own_name(name, order), data)
        return self._named(value, name, order)

    def permuted(self, value: str, shape: Shape, source: Order, target: Order) -> str:
        """A value in another order.

        Args:
            shape: Of the tensor, channels-last.
        """
        if source == target:
            return value
        if shape.count(None) <= 1 and moves_only_units(shape, target, source):
            sizes = [-1 if size is None else size for size in reordered(shape, target)]
            return self.node("Reshape", [value, self.attribute("shape", sizes)])
        return self.node("Transpose", [value], perm=permutation(source, target))

    # writing

    def bind(self, name: str, value: str, order: Order | None = None) -> None:
        """Makes a value the graph's tensor ``name``, on its grid if it is quantised.

        Args:
            order: Of the value; one that is neither channels-last, channels-first nor time-first
                is changed to channels-last.
        """
        tensor = self.tensor(name)
        last = channels_last(tensor.rank)
        order = order or last
        if order not in (last, channels_first(tensor.rank), time_first(tensor.rank)):
            value, order = self.permuted(value, tensor.shape, order, last), last
        self._bind(tensor, value, order)

    def _bind(self, tensor: Tensor, value: str, order: Order) -> None:
        if tensor.quantization is not None:
            self._integers[tensor.name, order], value = on_grid(value, tensor, self)
        self._forms.setdefault(tensor.name, {})[order] = self._named(value, tensor.name, order)

    def bind_integers(self, name: str, integers: str, order: Order) -> None:
        """Makes integers, as the file holds them, the graph's quantised tensor ``name``."""
        tensor = self.tensor(name)
        assert tensor.quantization is not None
        self._integers[name, order] = integers
        value = dequantized(integers, tensor.quantization, tensor.dtype, self)
        self._forms.setdefault(name, {})[order] = self._named(value, name, order)

    def on_grid(self, value: str, name: str) -> str:
        """A value between the nodes of one op, rounded like the tensor ``name`` if that is."""
        tensor = self.tensor(name)
        return value if tensor.quantization is None else on_grid(value, tensor, self)[1]

    def _named(self, value: str, name: str, order: Order) -> str:
        """Gives a value its tensor's name; one that is known under another name keeps that."""
        if not self.can_rename(value):
            return value
        return self.rename(value, self._own_name(name, order))

    def _own_name(self, name: str, order: Order) -> str:
        """Takes the tensor's name, unless it is in use or means another value outside."""
        last, first = channels_last(len(order)), channels_first(len(order))
        outputs = self.graph.outputs
        is_public = name in self.graph.inputs or name in outputs
        is_owner = not is_public or (outputs.get(name) == name and order == last)
        is_inner = order != last and order == time_first(len(order))
        if is_owner and not is_inner and not self.is_taken(name):
            return self.claim(name)
        suffix = "inner" if order == last else "channels_first" if order == first else "time_first"
        return self.fresh(f"{name}/{suffix}")

    def add_input(self, public: str) -> None:
        """The graph's input: real numbers, as they come from outside."""
        self.begin(public)
        self.bind(self.graph.inputs[public], self.claim(public))

    def add_output(self, public: str) -> None:
        """The graph's output: real numbers, channels-last, under its public name.

        Raises:
            UnsupportedError: An input has that name.
        """
        self.begin(public)
        value = self.value(self.graph.outputs[public])
        if value == public:
            return
        if self.is_taken(public):
            raise UnsupportedError(
                f"output {public!r} has the name of an input, which ONNX cannot hold",
                hint="rename the layer that makes the output",
            )
        self.rename(self.node("Identity", [value]), self.claim(public))
