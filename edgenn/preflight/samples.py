"""Samples for a conversion whose numbers nobody will use."""

from typing import Any, Final

import numpy as np

from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Array, Tensor

COUNT: Final = 4
LENGTH: Final = 32
"""What open sizes besides the batch become: long enough for windows that slide over time."""

SEED: Final = 20


def made_up_samples(graph: Graph) -> dict[str, Array]:
    """A few normal samples for each input, by its public name; valid indices where those go in."""
    rng = np.random.default_rng(SEED)
    return {
        public: made_up(graph.tensors[name], rows_behind(graph, name), rng)
        for public, name in graph.inputs.items()
    }


def made_up(tensor: Tensor, rows: int | None, rng: np.random.Generator) -> Array:
    shape = (COUNT, *(LENGTH if size is None else size for size in tensor.shape[1:]))
    if rows is not None:
        return rng.integers(0, rows, shape).astype(tensor.dtype)
    if tensor.dtype == "bool":
        return np.ones(shape, bool)
    if np.issubdtype(np.dtype(tensor.dtype), np.integer):
        return rng.integers(0, 2, shape).astype(tensor.dtype)
    values: Array = rng.normal(size=shape).astype(tensor.dtype)
    return values


def rows_behind(graph: Graph, name: str) -> int | None:
    """The rows of the smallest table that the values of a tensor choose from, if any does."""
    found: list[int] = []
    for op in graph.consumers[name]:
        operands: list[Any] = graph.operands(op)
        if op.kind == "gather" and len(operands) == 2 and operands[1].name == name:
            axis = getattr(op.operator, "axis", 0)
            size = operands[0].shape[axis]
            found += [size] if size is not None else []
        elif op.kind in PASSING:
            found += [rows for y in op.outputs if (rows := rows_behind(graph, y)) is not None]
    return min(found, default=None)


PASSING: Final = frozenset({"cast", "reshape", "transpose", "expand_dims", "squeeze"})
"""Ops whose values are their input's."""
