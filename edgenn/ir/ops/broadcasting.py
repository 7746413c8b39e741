"""NumPy broadcasting over shapes that may have open dimensions."""

from edgenn.ir.operator import ShapeError
from edgenn.ir.tensor import Shape


def broadcast_shapes(*shapes: Shape) -> Shape:
    """The common shape; an open dimension against a size above 1 takes that size.

    Raises:
        ShapeError: Two fixed sizes differ and neither is 1.
    """
    rank = max((len(shape) for shape in shapes), default=0)
    aligned = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    result: list[int | None] = []
    for sizes in zip(*aligned, strict=True):
        fixed = {size for size in sizes if size is not None and size != 1}
        if len(fixed) > 1:
            raise ShapeError(f"shapes {shapes} do not broadcast")
        result.append(fixed.pop() if fixed else (None if None in sizes else 1))
    return tuple(result)
