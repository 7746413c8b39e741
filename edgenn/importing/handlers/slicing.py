"""Cuts out of tensors."""

from edgenn.importing.context import Context
from edgenn.importing.node import Node
from edgenn.importing.registry import handler
from edgenn.ir.ops import SliceAt, StridedSlice
from edgenn.ir.tensor import Shape

Bounds = list[int | None]


@handler("STRIDED_SLICE")
def strided_slice(node: Node, context: Context) -> None:
    """The masks of the options: edges, indices; what adds axes has no operator."""
    if node.option("ellipsisMask") or node.option("newAxisMask") or node.option("offset", False):
        raise context.unsupported(node, "it has an ellipsis, new axes or offsets for ends")
    shape = context.tensor(node.given[0]).shape
    begin, end, strides = (
        context.integers(node, index, what)
        for index, what in ((1, "begin"), (2, "end"), (3, "strides"))
    )
    squeezed = tuple(
        axis for axis in range(len(begin)) if node.option("shrinkAxisMask") >> axis & 1
    )
    low: Bounds = [None if node.option("beginMask") >> i & 1 else n for i, n in enumerate(begin)]
    high: Bounds = [None if node.option("endMask") >> i & 1 else n for i, n in enumerate(end)]
    for axis in squeezed:
        low[axis] = begin[axis]
        high[axis] = begin[axis] + 1 or None  # -1 is the last one
        strides[axis] = 1
    rest = len(shape) - len(begin)
    cut = StridedSlice(
        (*low, *[None] * rest), (*high, *[None] * rest), (*strides, *[1] * rest), squeezed
    )
    context.add(cut, node.given[:1], node.outputs)


def masked(node: Node, mask: str, axis: int) -> bool:
    return bool(node.option(mask) >> axis & 1)


@handler("SLICE")
def slice_(node: Node, context: Context) -> None:
    """As many as the sizes say; -1 for all that follow."""
    sizes = context.integers(node, 2, "sizes")
    if context.known(node.given[1]) is None:
        context.add(SliceAt(tuple(sizes)), node.given[:2], node.outputs)
        return
    begin = context.integers(node, 1, "begin")
    cut = StridedSlice(tuple(begin), ends(begin, sizes), (1,) * len(begin))
    context.add(cut, node.given[:1], node.outputs)


def ends(begin: list[int], sizes: list[int]) -> Shape:
    return tuple(
        None if size == -1 else first + size for first, size in zip(begin, sizes, strict=True)
    )
