"""An ONNX file as the float graph with what the file has in its place.

edgenn does not read ONNX files back as graphs. It need not, to compare layers: the file has the
Keras layers' paths as names of its values and constants. What is made of them here is the float
graph on the file's grids and with the file's constants, and which of its tensors the file has.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import permutations
from pathlib import Path
from typing import Any, Final

import numpy as np

from edgenn.drift.explain.matching import Match, computed, is_real
from edgenn.drift.explain.names import plain
from edgenn.errors import ArtifactError
from edgenn.ir.graph import Graph
from edgenn.ir.tensor import INTEGER_RANGES, Array, Quantization, Shape, Tensor
from edgenn.quantization.parameters import WEIGHT_LIMIT

SIGNED: Final = {"uint8": "int8", "uint16": "int16"}
"""Values that edgenn writes unsigned, as its own graphs have them."""
SMALLEST: Final = 1e-30
"""Largest weight of a channel that is all zeros."""


@dataclass(frozen=True)
class Value:
    """A value of the file, and what it is rounded from.

    Attributes:
        real: Its name, as float32.
        integers: Name of its integers; empty where it is not quantised.
        before: Name of what it was before it was put on its grid; empty likewise.
        grid: Of the integers, with signed dtype.
        offset: What the stored integers are higher by.
    """

    real: str
    integers: str = ""
    before: str = ""
    dtype: str = "float32"
    grid: Quantization | None = None
    offset: int = 0


@dataclass
class OnnxFile:
    """What a file has of the float graph.

    Attributes:
        graph: The float graph with the file's grids and constants.
        shared: Tensor of the float graph → the file's value.
        orders: Tensor of the float graph → the orders of dimensions that the file's may be in.
        others: Further quantised values: a name for each below its layer's → the value.
        unsure: Shared tensors that are rounded more than once on the way from other shared ones.
        inputs: Public name → name of the file's input.
        batch: Samples that the file takes at once, where it takes so many only.
    """

    graph: Graph
    shared: dict[str, Value] = field(default_factory=dict)
    orders: dict[str, list[tuple[int, ...]]] = field(default_factory=dict)
    others: dict[str, Value] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)
    inputs: dict[str, str] = field(default_factory=dict)
    batch: int | None = None

    @property
    def match(self) -> Match:
        return Match({name: name for name in self.shared}, {name: name for name in self.shared})


def before(name: str) -> str:
    """What a value is called that is not on its grid yet."""
    return f"before:{name}"


def read_onnx(path: Path, reference: Graph) -> OnnxFile:
    """Looks for every tensor of the float graph.

    Raises:
        ArtifactError: The file is damaged.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(path)
        inferred = onnx.shape_inference.infer_shapes(model)
    except (DecodeError, onnx.shape_inference.InferenceError) as error:
        raise ArtifactError(f"{path} is damaged: {error}") from error
    return _Reader(model, inferred, reference).run()


class _Reader:
    """One file at work.

    Args:
        inferred: The same model with the shape of every value.
    """

    def __init__(self, model: Any, inferred: Any, reference: Graph) -> None:
        self.reference = reference
        self.nodes = model.graph.node
        self.producers = {name: node for node in self.nodes for name in node.output if name}
        self.initializers = {entry.name: entry for entry in model.graph.initializer}
        self.given = [e.name for e in model.graph.input if e.name not in self.initializers]
        self.results = [entry.name for entry in model.graph.output]
        kept = inferred.graph
        self.types = {e.name: e.type for e in (*kept.input, *kept.value_info, *kept.output)}
        self.file = OnnxFile(reference)

    def run(self) -> OnnxFile:
        values = {value.real: value for value in self.values()}
        by_name: dict[str, list[str]] = {}
        for name in (*self.given, *values):
            by_name.setdefault(plain(name), []).append(name)
        self.match_inputs(values)
        for name in computed(self.reference):
            tensor = self.reference.tensors[name]
            if name in self.file.shared or not is_real(tensor):
                continue
            found = [n for n in by_name.get(plain(name), ()) if self.orders(n, tensor.shape)]
            if not found:
                found = [n for n in self.border(name) if n in values]
            for theirs in [name] if name in found else found[-1:]:
                self.share(name, values.get(theirs, Value(theirs)))
        taken = {value.real for value in self.file.shared.values()}
        for value in values.values():
            if value.integers and value.real not in taken:
                self.file.others[f"{value.real}/rounded"] = value
        self.file.unsure = {name for name in self.file.shared if self.is_unsure(name)}
        self.file.batch = next((size for n in self.given for size in self.shape(n)[:1]), None)
        self.file.graph = self.with_grids()
        return self.file

    # values

    def values(self) -> Iterator[Value]:
        """Every float value that a node gives."""
        for node in self.nodes:
            for name in node.output:
                if name and self.is_float(name):
                    yield self.quantised(node) or Value(name)

    def quantised(self, node: Any) -> Value | None:
        """The value of a DequantizeLinear behind a QuantizeLinear."""
        rounding = self.producers.get(node.input[0]) if node.input else None
        if node.op_type != "DequantizeLinear" or rounding is None:
            return None
        grid = self.grid(node)
        if rounding.op_type != "QuantizeLinear" or grid is None:
            return None
        quantization, dtype, offset = grid
        return Value(node.output[0], node.input[0], rounding.input[0], dtype, quantization, offset)

    def grid(self, node: Any) -> tuple[Quantization, str, int] | None:
        """What one grid for a whole tensor is: the numbers, the signed dtype, its offset."""
        scale = self.constant(node.input[1])
        zero = self.constant(node.input[2]) if len(node.input) > 2 else np.zeros((), np.int8)
        if scale is None or zero is None or scale.size != 1:
            return None
        dtype = SIGNED.get(zero.dtype.name, zero.dtype.name)
        if dtype not in INTEGER_RANGES:
            return None
        offset = -INTEGER_RANGES[dtype][0] if dtype != zero.dtype.name else 0
        zero_point = int(zero.reshape(())) - offset
        return Quantization.per_tensor(float(scale.reshape(())), zero_point), dtype, offset

    def constant(self, name: str) -> Array | None:
        from onnx import numpy_helper

        entry = self.initializers.get(name)
        return None if entry is None else np.asarray(numpy_helper.to_array(entry))

    def is_float(self, name: str) -> bool:
        from onnx import TensorProto

        kind = self.types.get(name)
        return kind is not None and kind.tensor_type.elem_type == TensorProto.FLOAT

    def shape(self, name: str) -> Shape:
        sizes = self.types[name].tensor_type.shape.dim
        return tuple(d.dim_value if d.HasField("dim_value") else None for d in sizes)

    def orders(self, name: str, shape: Shape) -> list[tuple[int, ...]]:
        """The orders of a value's dimensions that the shape of a float tensor may come of."""
        if name not in self.types:
            return []
        theirs, rank = self.shape(name), len(shape)
        if len(theirs) != rank:
            return []
        as_is = tuple(range(rank))
        candidates = [as_is]
        if rank > 2:
            candidates.append((0, *range(2, rank), 1))  # channels first
            candidates.append((1, 0, *range(2, rank)))  # time first
        return [
            order
            for order in dict.fromkeys(candidates)
            if all(
                theirs[axis] is None or size is None or theirs[axis] == size
                for axis, size in zip(order, shape, strict=True)
            )
        ]

    # matching

    def match_inputs(self, values: Mapping[str, Value]) -> None:
        """Inputs by name, else as they stand; an input counts as it is read, on its grid."""
        same = set(self.given) == set(self.reference.inputs)
        for place, (public, name) in enumerate(self.reference.inputs.items()):
            theirs = public if same else self.given[place]
            self.file.inputs[public] = theirs
            on_grid = [value for value in values.values() if value.before == theirs]
            readers = [node for node in self.nodes if theirs in node.input]
            only = len(readers) == 1 and on_grid
            if is_real(self.reference.tensors[name]):
                self.share(name, on_grid[0] if only else Value(theirs))

    def border(self, name: str) -> Iterator[str]:
        """The file's output that is a tensor of the float graph."""
        same = set(self.results) == set(self.reference.outputs)
        for place, (public, ours) in enumerate(self.reference.outputs.items()):
            if ours == name and place < len(self.results):
                yield public if same else self.results[place]

    def share(self, name: str, value: Value) -> None:
        orders = self.orders(value.real, self.reference.tensors[name].shape)
        if orders:
            self.file.shared[name] = value
            self.file.orders[name] = orders

    def is_unsure(self, name: str) -> bool:
        """Whether values on other grids, or loops, stand between a tensor and those before it."""
        own = self.file.shared[name]
        others = {value.real for n, value in self.file.shared.items() if n != name}
        grids: list[Quantization | None] = [own.grid]
        inside: list[Quantization] = []
        waiting, seen = [own.before or own.real], set[str]()
        while waiting:
            value = waiting.pop()
            if value in others:
                grids += [v.grid for v in self.file.shared.values() if v.real == value]
                continue
            node = self.producers.get(value)
            if node is None or value in seen:
                continue
            seen.add(value)
            if any(attribute.HasField("g") for attribute in node.attribute):
                return True
            if node.op_type == "DequantizeLinear" and (grid := self.grid(node)) is not None:
                constant = node.input[0] in self.initializers
                inside += [] if constant else [grid[0]]
            waiting.extend(node.input)
        return any(grid not in grids for grid in inside)

    # the graph

    def with_grids(self) -> Graph:
        """The float graph with the grids and constants of the file."""
        tensors = dict(self.reference.tensors)
        for name, value in (*self.file.shared.items(), *self.file.others.items()):
            tensor = tensors.get(name, Tensor(name, ()))
            tensors[name] = tensor.with_(dtype=value.dtype, quantization=value.grid)
            tensors[before(name)] = Tensor(before(name), tensor.shape)
        stored = dict(self.constants())
        dtype = coarsest(stored.values())
        for op in self.reference.ops:
            for index, name in enumerate(op.inputs):
                tensor = self.reference.tensors[name]
                if tensor.data is None or tensor.dtype != "float32":
                    continue
                theirs = stored.get(name)
                fitted = None if theirs is None else in_order_of(tensor, theirs)
                axis = op.operator.weight_axes.get(index)
                if fitted is None and axis is not None:
                    fitted = rounded(tensor, axis, dtype)  # packed with others: as it should be
                if fitted is not None:
                    tensors[name] = fitted
        return self.reference.with_(tensors=tensors)

    def constants(self) -> Iterator[tuple[str, Tensor]]:
        """The file's constants by their plain names, as they are stored."""
        for name in self.initializers:
            if (stored := self.constant(name)) is not None:
                yield plain(name), Tensor.constant(name, stored)
        for node in self.nodes:
            if node.op_type != "DequantizeLinear" or node.input[0] not in self.initializers:
                continue
            data, scale = self.constant(node.input[0]), self.constant(node.input[1])
            if data is None or scale is None:
                continue
            zero = self.constant(node.input[2]) if len(node.input) > 2 else None
            zero = np.zeros(scale.shape) if zero is None else zero
            dtype = SIGNED.get(data.dtype.name, data.dtype.name)
            if dtype not in INTEGER_RANGES:
                continue
            offset = 0 if dtype == data.dtype.name else -INTEGER_RANGES[dtype][0]
            axes = [a.i for a in node.attribute if a.name == "axis"]
            axis = (axes or [1])[0] % max(data.ndim, 1) if scale.size > 1 else None
            grid = Quantization(
                scale.reshape(-1).astype(np.float32),
                zero.reshape(-1).astype(np.int64) - offset,
                axis,
            )
            integers = (data.astype(np.int64) - offset).astype(dtype)
            yield plain(node.output[0]), Tensor.constant(node.output[0], integers, grid)


def in_order_of(tensor: Tensor, theirs: Tensor) -> Tensor | None:
    """A constant of the file in the order of the float graph's; ``None`` where none fits.

    The order that is nearest in value counts; heights stay in front of widths.
    """
    assert tensor.data is not None and theirs.data is not None
    if theirs.data.ndim != tensor.data.ndim:
        return None
    best: tuple[float, Tensor] | None = None
    rank = theirs.data.ndim
    for order in permutations(range(rank)):
        if rank == 4 and [axis for axis in order if axis in (2, 3)] != [2, 3]:
            continue
        data = theirs.data.transpose(order)
        if data.shape != tensor.data.shape:
            continue
        grid = theirs.quantization
        if grid is not None and grid.axis is not None:
            grid = replace(grid, axis=order.index(grid.axis))
        moved = Tensor(tensor.name, data.shape, theirs.dtype, grid, data)
        distance = float(np.square(moved.real().astype(np.float64) - tensor.data).sum())
        if best is None or distance < best[0]:
            best = distance, moved
    return None if best is None else best[1]


def coarsest(constants: Iterable[Tensor]) -> str:
    """In which dtype a file that has these constants stores weights."""
    dtypes = {constant.dtype for constant in constants}
    for dtype in ("int8", "float16"):
        if dtype in dtypes:
            return dtype
    return "float32"


def rounded(tensor: Tensor, axis: int, dtype: str) -> Tensor:
    """Weights in a dtype; integers have a scale for each channel."""
    assert tensor.data is not None
    if dtype != "int8":
        return Tensor.constant(tensor.name, tensor.data.astype(dtype))
    others = tuple(other for other in range(tensor.rank) if other != axis)
    largest = np.abs(tensor.data).max(axis=others)
    grid = Quantization.per_channel(np.maximum(largest, SMALLEST) / WEIGHT_LIMIT, axis)
    return Tensor(tensor.name, tensor.shape, dtype, grid, grid.quantize(tensor.data, dtype))
