"""Padding of windows: explicit amounts where sizes allow, and pads that convolutions take over."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgenn.ir.graph import Graph, Op
from edgenn.ir.operator import Padding
from edgenn.ir.ops import Conv2D, DepthwiseConv2D, Pad
from edgenn.ir.ops.geometry import effective_kernel, pad_amounts
from edgenn.ir.tensor import Shape

Pair = tuple[int, int]
Amounts = tuple[Pair, Pair]
"""Before and after, for height and width."""
NOTHING: Amounts = ((0, 0), (0, 0))


@dataclass(frozen=True)
class FoldedPad:
    """A pad that is part of the convolutions that read it.

    Attributes:
        source: The tensor that it pads.
        amounts: Zeros around height and width.
    """

    source: str
    amounts: Amounts


@dataclass(frozen=True)
class Window:
    """What slides over an image."""

    kernel: Pair
    strides: Pair
    dilations: Pair
    padding: Padding

    def pads(self, shape: Shape, extra: Amounts = NOTHING) -> Amounts | None:
        """Zeros around an NHWC image; ``None`` where they depend on an open size.

        Args:
            extra: Zeros that an explicit pad puts around the image first.
        """
        result = []
        for axis, (before, after) in enumerate(extra):
            amounts = self._pads_along(axis, shape[1 + axis], before + after)
            if amounts is None:
                return None
            result.append((before + amounts[0], after + amounts[1]))
        return result[0], result[1]

    def _pads_along(self, axis: int, size: int | None, extra: int) -> Pair | None:
        kernel, stride = self.kernel[axis], self.strides[axis]
        dilation = self.dilations[axis]
        if size is None and self.padding is Padding.SAME and stride == 1:
            size = effective_kernel(kernel, dilation)  # with stride 1 any size gives the same
        if size is None:
            return (0, 0) if self.padding is Padding.VALID else None
        return pad_amounts(size + extra, kernel, stride, dilation, self.padding)

    def attributes(self, shape: Shape, extra: Amounts = NOTHING) -> dict[str, Any]:
        """The ONNX attributes; TensorFlow's SAME has the odd zero after, as SAME_UPPER does."""
        pads = self.pads(shape, extra)
        where = {"auto_pad": "SAME_UPPER"} if pads is None else {"pads": onnx_pads(pads)}
        return {"kernel_shape": self.kernel, "strides": self.strides, **where}


def onnx_pads(amounts: Sequence[Pair]) -> list[int]:
    """All that come before, then all that come after."""
    return [before for before, _ in amounts] + [after for _, after in amounts]


def window_of(graph: Graph, op: Op, conv: Conv2D | DepthwiseConv2D) -> Window:
    height, width = graph.tensors[op.inputs[1]].shape[1:3]
    assert height is not None and width is not None
    return Window((height, width), conv.strides, conv.dilations, conv.padding)


def folded_pads(graph: Graph) -> dict[str, FoldedPad]:
    """Padded tensor → the pad, where every reader is a convolution that can take it over."""
    result = {}
    for op in graph.ops:
        if isinstance(op.operator, Pad):
            amounts = image_amounts(op.operator)
            readers = graph.consumers[op.output]
            if (
                amounts is not None
                and not graph.is_output(op.output)
                and keeps_numbers(graph, op)
                and all(takes_over(graph, reader, op.output, amounts) for reader in readers)
            ):
                result[op.output] = FoldedPad(op.inputs[0], amounts)
    return result


def image_amounts(pad: Pad) -> Amounts | None:
    """The zeros around height and width, if that is all there is."""
    match pad.paddings:
        case ((0, 0), height, width, (0, 0)) if pad.value == 0:
            return height, width
    return None


def keeps_numbers(graph: Graph, op: Op) -> bool:
    """Whether a pad's input and output are stored with the same parameters."""
    x, y = graph.tensors[op.inputs[0]], graph.tensors[op.output]
    return x.quantization == y.quantization and not x.is_constant


def takes_over(graph: Graph, op: Op, padded: str, amounts: Amounts) -> bool:
    conv = op.operator
    if not isinstance(conv, Conv2D | DepthwiseConv2D) or op.inputs.count(padded) > 1:
        return False
    if op.inputs[0] != padded:
        return False
    shape = graph.tensors[graph.producers[padded].inputs[0]].shape
    return window_of(graph, op, conv).pads(shape, amounts) is not None
