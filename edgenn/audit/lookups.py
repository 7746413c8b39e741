"""Which rows of embedding tables the samples look up."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgenn.batches import batches
from edgenn.data import Dataset
from edgenn.errors import DataError
from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph, Op
from edgenn.ir.ops import Gather
from edgenn.progress import Progress

Counts = Mapping[str, NDArray[np.int64]]
"""Layer → how often each row of its table was looked up."""


@dataclass(frozen=True)
class Table:
    """An embedding: a constant whose rows are looked up.

    Attributes:
        layer: The first op that looks into it; the Keras layer's path.
        rows: How many it has.
        indices: The tensors that say which rows.
    """

    layer: str
    rows: int
    indices: tuple[str, ...]


def tables(graph: Graph) -> list[Table]:
    """Every embedding of the graph; one that several layers share is one."""
    readers: dict[str, list[Op]] = {}
    for op in graph.ops:
        if is_lookup(graph, op):
            readers.setdefault(op.inputs[0], []).append(op)
    return [
        Table(
            ops[0].name,
            int(graph.tensors[name].shape[0] or 0),
            tuple(dict.fromkeys(op.inputs[1] for op in ops)),
        )
        for name, ops in readers.items()
    ]


def is_lookup(graph: Graph, op: Op) -> bool:
    """Whether the op takes rows of a constant, chosen by something that is computed."""
    if not isinstance(op.operator, Gather):
        return False
    table, indices = graph.operands(op)
    return (
        table.is_constant
        and table.rank > 1
        and op.operator.axis % table.rank == 0
        and not indices.is_constant
    )


def count_lookups(graph: Graph, data: Dataset, progress: Progress) -> Counts:
    """How often each row is looked up; runs only what makes the indices.

    Raises:
        DataError: An index outside of its table.
    """
    found = tables(graph)
    counts = {table.layer: np.zeros(table.rows, np.int64) for table in found}
    if not found:
        return counts
    wanted = {name: name for table in found for name in table.indices}
    part = graph.with_(outputs=wanted).pruned()
    start = 0
    for batch in batches(part, data.inputs, progress, stage="looking up"):
        values = evaluate(part, batch, keep=wanted)
        for table in found:
            for name in table.indices:
                require_inside(table, values[name], start, data.source)
                counts[table.layer] += np.bincount(values[name].ravel(), minlength=table.rows)
        start += len(next(iter(batch.values())))
    return counts


def require_inside(table: Table, indices: NDArray[np.int64], start: int, source: str) -> None:
    bad = (indices < 0) | (indices >= table.rows)
    if bad.any():
        first = int(np.argmax(bad.reshape(len(bad), -1).any(axis=1)))
        value = int(indices[bad][0])
        raise DataError(
            f"{source}: sample {start + first} looks up row {value} of {table.layer!r}, which has"
            f" {table.rows}",
            "ids count from 0; those that the model does not know have a row of their own",
        )
