"""Resizing of images."""

from edgenn.importing.context import Context
from edgenn.importing.node import Node
from edgenn.importing.registry import handler
from edgenn.ir.ops import ResizeBilinear, ResizeNearest

RESIZE = {"RESIZE_BILINEAR": ResizeBilinear, "RESIZE_NEAREST_NEIGHBOR": ResizeNearest}


@handler(*RESIZE)
def resize(node: Node, context: Context) -> None:
    height, width = context.integers(node, 1, "output sizes")
    operator = RESIZE[node.builtin](
        (height, width),
        bool(node.option("alignCorners", False)),
        bool(node.option("halfPixelCenters", False)),
    )
    context.add(operator, node.given[:1], node.outputs)
