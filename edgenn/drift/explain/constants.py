"""Pairs of constants: what the float graph has and what the artifact stores in its place."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgenn.drift.explain.twin import Rounder, fitting
from edgenn.ir.graph import Graph, Op
from edgenn.ir.ops.scan import Scan
from edgenn.ir.tensor import INTEGER_RANGES, Array, Tensor, along

FLOAT_STEPS: Final = {"float16": (2.0**-10, 2.0**-24), "float32": (1e-6, 1e-30)}
"""How finely a channel is stored: a share of its largest magnitude, and at least so much."""


@dataclass(frozen=True)
class Pair:
    """One constant of a layer, as both graphs have it.

    Attributes:
        name: In the float graph.
        op: Of the float graph, which reads it.
        is_bias: Whether it is the op's bias.
        axis: Of its channels; ``None`` where it has none.
        ours: Values in the float graph.
        theirs: Real values in the artifact, in the same shape.
        steps: How finely the artifact stores each channel, ``(channels,)``.
        compensated: Its integers may be others than the nearest ones: those of products in float
            are chosen so that the errors of their products cancel out.
    """

    name: str
    op: Op
    is_bias: bool
    axis: int | None
    ours: NDArray[np.float64]
    theirs: NDArray[np.float64]
    steps: NDArray[np.float64]
    compensated: bool

    def by_channel(self, values: Array) -> Array:
        """Values of the constant's shape as ``(channels, rest)``."""
        if self.axis is None:
            return values.reshape(1, -1)
        return np.moveaxis(values, self.axis, 0).reshape(values.shape[self.axis], -1)

    @property
    def error_in_steps(self) -> NDArray[np.float64]:
        """RMS of each channel."""
        error = self.by_channel(self.theirs - self.ours)
        rms: NDArray[np.float64] = np.sqrt(np.square(error).mean(axis=1)) / self.steps
        return rms


def pairs(reference: Graph, rounder: Rounder) -> Iterator[Pair]:
    """All pairs of real constants, loops included, in the order of the float graph."""
    for op in reference.ops:
        for index in range(len(op.inputs)):
            theirs = rounder.counterpart(op, index)
            if theirs is not None:
                yield from pair(reference, op, index, theirs, rounder.is_hybrid(op))
        if isinstance(op.operator, Scan):
            yield from pairs_of_cell(op.operator.cell, rounder)


def pairs_of_cell(cell: Graph, rounder: Rounder) -> Iterator[Pair]:
    for op in cell.ops:
        for index, name in enumerate(op.inputs):
            theirs = rounder.by_name(cell.tensors[name])
            if theirs is not None:
                yield from pair(cell, op, index, theirs, rounder.is_hybrid_in_cell(op))
        if isinstance(op.operator, Scan):
            yield from pairs_of_cell(op.operator.cell, rounder)


def pair(graph: Graph, op: Op, index: int, theirs: Tensor, hybrid: bool) -> Iterator[Pair]:
    """The pair of one input of an op, if it holds real numbers.

    Args:
        hybrid: Whether the artifact's op takes real numbers.
    """
    ours = graph.tensors[op.inputs[index]]
    stored = fitting(ours, theirs)
    if ours.data is None or stored is None or ours.dtype != "float32" or not stored.size:
        return
    is_bias = index == op.operator.bias_input
    axis = 0 if is_bias else op.operator.weight_axes.get(index)
    real = real_values(theirs, stored)
    yield Pair(
        ours.name,
        op,
        is_bias,
        axis,
        ours.data.astype(np.float64),
        real,
        steps_of(theirs, real, axis),
        hybrid and theirs.dtype == "int8" and not is_bias,
    )


def real_values(theirs: Tensor, stored: Array) -> NDArray[np.float64]:
    grid = theirs.quantization
    if grid is None or theirs.dtype not in INTEGER_RANGES:
        return stored.astype(np.float64)
    if grid.axis is None:
        scale, zero_point = grid.scale.reshape(()), grid.zero_point.reshape(())
    else:
        scale = along(grid.scale, grid.axis, stored.ndim)
        zero_point = along(grid.zero_point, grid.axis, stored.ndim)
    return np.asarray((stored.astype(np.float64) - zero_point) * scale.astype(np.float64))


def steps_of(theirs: Tensor, real: NDArray[np.float64], axis: int | None) -> NDArray[np.float64]:
    """How finely each channel is stored."""
    channels = 1 if axis is None else real.shape[axis]
    grid = theirs.quantization
    if grid is not None and theirs.dtype in INTEGER_RANGES:
        if len(grid.scale) in (1, channels):
            return np.broadcast_to(grid.scale.astype(np.float64), (channels,))
        return np.full(channels, float(grid.scale.max()))
    rows = real.reshape(1, -1) if axis is None else np.moveaxis(real, axis, 0)
    largest = np.abs(rows.reshape(channels, -1)).max(axis=1)
    share, least = FLOAT_STEPS["float16" if theirs.dtype == "float16" else "float32"]
    steps: NDArray[np.float64] = np.maximum(largest * share, least)
    return steps
