"""Arithmetic of sliding windows: output sizes and padding, as TensorFlow defines them."""

from edgenn.ir.operator import Padding


def effective_kernel(kernel: int, dilation: int) -> int:
    """The extent of a dilated kernel."""
    return (kernel - 1) * dilation + 1


def output_size(
    size: int | None, kernel: int, stride: int, dilation: int, padding: Padding
) -> int | None:
    """Output extent of a window sliding over ``size``; open stays open."""
    if size is None:
        return None
    if padding is Padding.SAME:
        return -(-size // stride)
    return (size - effective_kernel(kernel, dilation) + stride) // stride


def pad_amounts(
    size: int, kernel: int, stride: int, dilation: int, padding: Padding
) -> tuple[int, int]:
    """Zeros before and after; SAME puts the odd one after."""
    if padding is Padding.VALID:
        return 0, 0
    output = -(-size // stride)
    total = max((output - 1) * stride + effective_kernel(kernel, dilation) - size, 0)
    return total // 2, total - total // 2
