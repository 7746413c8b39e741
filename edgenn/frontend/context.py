"""What handlers write into: the graph under construction, and where in the model we are."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from edgenn.errors import UnsupportedError
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.operator import Operator
from edgenn.ir.ops import Cast, ExpandDims, Mul, Pad, Reshape, Squeeze, StridedSlice, Transpose
from edgenn.ir.tensor import Array, Shape, Tensor

OPEN_HINT = "give the input a fixed size, or fix the batch (batch=1, --batch 1)"
OPEN_BATCH_HINT = "fix the batch (batch=1, --batch 1)"
OPEN_SIZE_HINT = "give the model's input a fixed size"


class TensorName(str):
    """A tensor's name among the arguments of a call, told apart from an option's text."""

    __slots__ = ()


def graph_dtype(dtype: str) -> str:
    """The graph's dtype for Keras's: all real numbers are float32 until quantisation."""
    return "float32" if "float" in dtype else dtype


def element_count(shape: Shape) -> int | None:
    """How many values a shape holds; ``None`` where a size is open."""
    return None if None in shape else prod(size or 0 for size in shape)


class Context:
    """The graph under construction, and the call that is being turned into ops.

    Attributes:
        builder: The graph.
        scope: Prefix of the paths of the layers that are being walked, ``""`` or ``"a/b/"``.
        path: The call whose handler runs; its output tensor gets this name.
        outputs: Keras's own inference for this call: objects with ``shape`` and ``dtype``.
        masks: Tensor → the Keras mask it carries.
    """

    def __init__(self, name: str) -> None:
        self.builder = GraphBuilder(name)
        self.scope = ""
        self.path = ""
        self.outputs: Sequence[Any] = ()
        self.masks: dict[str, TensorName] = {}
        self._calls: dict[str, int] = {}
        # the variable is kept too, so that its id stays its own
        self._weights: dict[tuple[int, str], tuple[Any, str]] = {}

    # Tensors

    def tensor(self, name: str) -> Tensor:
        return self.builder.tensors[name]

    def shape(self, name: str) -> Shape:
        return self.builder.tensors[name].shape

    def rank(self, name: str) -> int:
        return len(self.builder.tensors[name].shape)

    def dtype(self, name: str) -> str:
        return self.builder.tensors[name].dtype

    def axis(self, name: str, axis: int) -> int:
        """``axis`` of a tensor counted from the front."""
        return axis + self.rank(name) if axis < 0 else axis

    def size(self, name: str, axis: int) -> int:
        """The size of a dimension that must be fixed."""
        size = self.shape(name)[axis]
        if size is None:
            hint = OPEN_SIZE_HINT if self.axis(name, axis) else OPEN_BATCH_HINT
            raise self.unsupported(f"needs a fixed size of dimension {axis}", hint)
        return size

    def constant(self, data: Any, suffix: str = "constant", owner: str | None = None) -> str:
        """A constant; real numbers become float32.

        Args:
            owner: What comes before the suffix in its name; ``path/`` by default.
        """
        array = np.asarray(data)
        path = f"{self.path}/" if owner is None else owner
        return self.builder.constant(
            f"{path}{suffix}", array.astype(graph_dtype(array.dtype.name), copy=False)
        )

    def weight(
        self,
        variable: Any,
        suffix: str,
        transform: Callable[[Array], Array] | None = None,
        owner: str | None = None,
    ) -> str:
        """The constant of a Keras variable; made once, however often its layer is called."""
        key = id(variable), suffix
        if key not in self._weights:
            array = as_array(variable)
            name = self.constant(transform(array) if transform else array, suffix, owner)
            self._weights[key] = variable, name
        return self._weights[key][1]

    def operand(self, value: Any, dtype: str) -> str:
        """A tensor's name for a tensor, variable, array or number, in ``dtype``."""
        if isinstance(value, str):
            return self.cast(value, dtype)
        if hasattr(value, "path") and hasattr(value, "name"):  # a Keras variable
            name: str = value.name
            return self.cast(self.weight(value, name, owner=self.scope), dtype)
        return self.constant(as_array(value).astype(dtype))

    # Ops

    def add(self, operator: Operator, inputs: Sequence[str], suffix: str = "") -> str:
        """Adds an op with one output named ``path/suffix``; returns the output's name."""
        return self.builder.add(operator, inputs, f"{self.path}/{suffix or operator.kind}")

    def apply(self, operator: Operator, *values: Any, suffix: str = "") -> str:
        """``add`` for tensors, arrays and numbers; all take the first tensor's dtype."""
        dtype = next(self.dtype(value) for value in values if isinstance(value, str))
        return self.add(operator, [self.operand(value, dtype) for value in values], suffix)

    def cast(self, x: str, dtype: str) -> str:
        dtype = graph_dtype(dtype)
        return x if self.dtype(x) == dtype else self.add(Cast(dtype), [x])

    def negative(self, x: str) -> str:
        """``-x`` as a product: TFLite's NEG has no integer kernel."""
        return self.apply(Mul(), x, -1, suffix="negative")

    def reshape(self, x: str, shape: Shape) -> str:
        """``x`` in another shape, whose open dimension (at most one) is ``None``."""
        shape = tuple(shape)
        if shape == self.shape(x) and shape.count(None) <= 1:
            return x
        if shape.count(None) > 1:
            raise self.unsupported(f"reshapes to {shape} with several open sizes", OPEN_HINT)
        sizes = tuple(-1 if size is None else size for size in shape)
        return self.add(Reshape(sizes), [x])

    def expand_dims(self, x: str, axis: int) -> str:
        axis = axis + self.rank(x) + 1 if axis < 0 else axis
        shape = (*self.shape(x)[:axis], 1, *self.shape(x)[axis:])
        if shape.count(None) <= 1:
            return self.reshape(x, shape)
        return self.add(ExpandDims(axis), [x])

    def squeeze(self, x: str, *axes: int) -> str:
        axes = tuple(self.axis(x, axis) for axis in axes)
        shape = tuple(size for i, size in enumerate(self.shape(x)) if i not in axes)
        if shape.count(None) <= 1:
            return self.reshape(x, shape)
        return self.add(Squeeze(axes), [x])

    def transpose(self, x: str, permutation: Sequence[int]) -> str:
        permutation = tuple(permutation)
        if permutation == tuple(range(self.rank(x))):
            return x
        return self.add(Transpose(permutation), [x])

    def pad(self, x: str, paddings: Sequence[tuple[int, int]], value: float = 0.0) -> str:
        amounts = tuple((int(before), int(after)) for before, after in paddings)
        if not any(before or after for before, after in amounts):
            return x
        return self.add(Pad(amounts, value), [x])

    def crop(self, x: str, slices: dict[int, slice]) -> str:
        """``x`` cut along some axes (counted from the front)."""
        cuts = [slices.get(axis, slice(None)) for axis in range(self.rank(x))]
        begin = tuple(cut.start for cut in cuts)
        end = tuple(cut.stop for cut in cuts)
        return self.add(StridedSlice(begin, end, tuple(cut.step or 1 for cut in cuts)), [x])

    # Calls

    @contextmanager
    def call(self, path: str, outputs: Sequence[Any]) -> Iterator[None]:
        """Everything added inside belongs to the call at ``path``."""
        before = self.path, self.outputs
        self.path, self.outputs = path, outputs
        try:
            yield
        finally:
            self.path, self.outputs = before

    @contextmanager
    def inside(self, scope: str) -> Iterator[None]:
        """Calls inside have paths that begin with ``scope``."""
        before, self.scope = self.scope, scope
        try:
            yield
        finally:
            self.scope = before

    def call_path(self, name: str, separator: str = "@") -> str:
        """The path of a call; the second call of a shared layer is ``name@2``."""
        path = self.scope + name
        count = self._calls[path] = self._calls.get(path, 0) + 1
        return path if count == 1 else f"{path}{separator}{count}"

    def rename(self, old: str, new: str, first_op: int) -> str:
        """Gives a tensor made at or after op number ``first_op`` another name."""
        builder = self.builder
        if old == new or not any(old in op.outputs for op in builder.ops[first_op:]):
            return old
        new = builder.unique(new)
        builder.tensors[new] = replace(builder.tensors.pop(old), name=new)

        def renamed(names: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(new if name == old else name for name in names)

        for index in range(first_op, len(builder.ops)):
            op = builder.ops[index]
            if old in op.outputs or old in op.inputs:
                inputs, outputs = renamed(op.inputs), renamed(op.outputs)
                builder.ops[index] = replace(op, name=outputs[0], inputs=inputs, outputs=outputs)
        if old in self.masks:
            self.masks[new] = self.masks.pop(old)
        self.masks.update(
            {name: TensorName(new) for name, mask in self.masks.items() if mask == old}
        )
        return new

    def detach(self, x: str) -> str:
        """``x``, as a tensor without a mask."""
        return self.add(Cast(self.dtype(x)), [x]) if x in self.masks else x

    def unsupported(self, message: str, hint: str) -> UnsupportedError:
        """An error that names the current call."""
        return UnsupportedError(f"{self.path}: {message}", hint)


def as_array(value: Any) -> Array:
    """The values of a Keras variable, backend tensor, array or number."""
    array: Array = value.numpy() if hasattr(value, "numpy") else np.asarray(value)
    if array.dtype.name in ("bfloat16", "float16", "float64"):
        array = array.astype(np.float32)
    return array
