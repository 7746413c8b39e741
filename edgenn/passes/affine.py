"""Per-channel affine maps ``scale * x + offset``, recognised in ops and composed in float64."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from edgenn.ir.graph import Op
from edgenn.ir.operator import Activation
from edgenn.ir.ops import Add, Div, Mul, Neg, Sub
from edgenn.ir.tensor import Array, Shape
from edgenn.passes.rewriter import Rewriter

ONE = np.float64(1)
ZERO = np.float64(0)


@dataclass(frozen=True)
class Affine:
    """``scale * x + offset`` over the last axis; both float64, shape ``()`` or ``(C,)``."""

    scale: NDArray[np.float64]
    offset: NDArray[np.float64]

    @classmethod
    def identity(cls) -> Self:
        return cls(np.asarray(ONE), np.asarray(ZERO))

    def then(self, after: "Affine") -> "Affine":
        """The map that applies this one first."""
        return Affine(
            np.asarray(self.scale * after.scale),
            np.asarray(self.offset * after.scale + after.offset),
        )

    @property
    def scales(self) -> bool:
        return bool(np.any(self.scale != 1))

    @property
    def shifts(self) -> bool:
        return bool(np.any(self.offset != 0))


@dataclass(frozen=True)
class AffineStep:
    """An op read as an affine map of one of its inputs."""

    op: Op
    source: str
    map: Affine
    activation: Activation


def channel_vector(value: Array, shape: Shape) -> Array | None:
    """A constant as a scalar or a vector over the last axis of a tensor of ``shape``.

    ``None`` where it varies along another axis or has more dimensions than the tensor.
    """
    if value.ndim > len(shape):
        return None
    if value.size == 1:
        return value.reshape(())
    if value.shape[-1] == value.size == shape[-1]:
        return value.reshape(-1)
    return None


def affine_step(op: Op, graph: Rewriter) -> AffineStep | None:
    """``op`` as an affine map, if it is one: add, sub, mul or div with a constant, or neg."""
    operator = op.operator
    if isinstance(operator, Neg):
        map_ = Affine(np.asarray(-ONE), np.asarray(ZERO))
        return AffineStep(op, op.inputs[0], map_, Activation.NONE)
    if not isinstance(operator, Add | Sub | Mul | Div):
        return None
    first, second = (graph.value(name) for name in op.inputs)
    if (first is None) == (second is None):
        return None
    source = op.inputs[0 if first is None else 1]
    x = graph.tensors[source]
    constant = second if first is None else first
    assert constant is not None
    if x.dtype != "float32" or graph.tensors[op.output].shape != x.shape:
        return None
    vector = channel_vector(constant, x.shape)
    if vector is None:
        return None
    map_or_none = as_map(operator, np.asarray(vector, np.float64), constant_first=second is None)
    if map_or_none is None:
        return None
    return AffineStep(op, source, map_or_none, operator.activation)


def as_map(
    operator: Add | Sub | Mul | Div, c: NDArray[np.float64], *, constant_first: bool
) -> Affine | None:
    one, zero = np.asarray(ONE), np.asarray(ZERO)
    match operator:
        case Add():
            return Affine(one, c)
        case Mul():
            return Affine(c, zero)
        case Sub() if constant_first:
            return Affine(-one, c)
        case Sub():
            return Affine(one, -c)
        case Div() if not constant_first and np.all(c != 0):
            return Affine(1 / c, zero)
    return None


def steps_after(name: str, graph: Rewriter) -> list[AffineStep]:
    """The affine ops that follow a tensor, each the only reader of the one before.

    A step with an activation ends the chain.
    """
    steps: list[AffineStep] = []
    while (reader := graph.only_reader(name)) is not None:
        step = affine_step(reader, graph)
        if step is None:
            break
        steps.append(step)
        if step.activation is not Activation.NONE:
            break
        name = reader.output
    return steps


def composed(steps: list[AffineStep]) -> Affine:
    total = Affine.identity()
    for step in steps:
        total = total.then(step.map)
    return total
