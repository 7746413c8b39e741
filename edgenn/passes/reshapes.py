"""What the passes share about reshapes: which ops are one, and which only drop dimensions."""

from edgenn.ir.graph import Op
from edgenn.ir.ops import ExpandDims, Reshape, Squeeze
from edgenn.ir.tensor import Shape
from edgenn.passes.rewriter import Rewriter

RESHAPES = Reshape | ExpandDims | Squeeze


def reshape_before(name: str, graph: Rewriter) -> Op | None:
    """The reshape that makes a tensor, if one does."""
    producer = graph.producer(name)
    return producer if producer is not None and isinstance(producer.operator, RESHAPES) else None


def reshape_to(shape: Shape) -> Reshape:
    """The reshape to a shape with at most one open dimension."""
    assert shape.count(None) <= 1
    return Reshape(tuple(-1 if size is None else size for size in shape))


def kept_dimensions(before: Shape, after: Shape) -> list[int] | None:
    """Where each dimension of ``after`` stood, if all others of ``before`` are of size 1."""
    if before.count(None) > 1 or len(after) >= len(before):
        return None
    kept: list[int] = []
    for axis, size in enumerate(before):
        if len(kept) < len(after) and after[len(kept)] == size:
            kept.append(axis)
        elif size != 1:
            return None
    return kept if len(kept) == len(after) else None
