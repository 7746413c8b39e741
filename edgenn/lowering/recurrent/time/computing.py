"""Rules of operators that compute: element by element, over windows, in sums, in loops."""

from typing import Any

from edgenn.ir.graph import Op
from edgenn.ir.operator import Operator
from edgenn.ir.ops import (
    BatchMatMul,
    Cast,
    Conv2D,
    CumSum,
    Dequantize,
    ElementwiseFunction,
    FullyConnected,
    LogSoftmax,
    Prelu,
    Quantize,
    ResizeBilinear,
    ResizeNearest,
    Scan,
    Select,
    Softmax,
)
from edgenn.ir.ops.convolution import Convolution
from edgenn.ir.ops.elementwise import Binary, Unary
from edgenn.ir.ops.pooling import Pool2D
from edgenn.ir.ops.reduction import ArgReduction, Reduction, normalized
from edgenn.ir.ops.scan import TIME
from edgenn.lowering.recurrent.time.extents import Axis, Layout
from edgenn.lowering.recurrent.time.layouts import Layouts
from edgenn.lowering.recurrent.time.registry import ALL, SUM, WINDOW, output_size, rule

# --- element by element


@rule(Unary, Binary, Cast, Quantize, Dequantize, ElementwiseFunction, Prelu, Select)
def elementwise(layouts: Layouts, op: Op, operator: Operator) -> list[Layout]:
    shape = layouts.graph.tensors[op.outputs[0]].shape
    return [tuple(layouts.joined(op, range(len(op.inputs)), shape))]


@rule(Softmax, LogSoftmax)
def along_last_axis(layouts: Layouts, op: Op, operator: Operator) -> list[Layout]:
    layout = layouts.layout(op.inputs[0])
    layouts.mix(op, layout[-1], ALL)
    return [layout]


@rule(CumSum)
def running(layouts: Layouts, op: Op, operator: CumSum) -> list[Layout]:
    """A sum of the past, which a step can hand on."""
    return [layouts.layout(op.inputs[0])]


# --- products and windows


@rule(FullyConnected)
def product(layouts: Layouts, op: Op, operator: FullyConnected) -> list[Layout]:
    x, weights = layouts.layout(op.inputs[0]), layouts.layout(op.inputs[1])
    layouts.mix(op, (*x[-1], *weights[1]), SUM)
    return [(*x[:-1], weights[0])]


@rule(BatchMatMul)
def products(layouts: Layouts, op: Op, operator: BatchMatMul) -> list[Layout]:
    a, b = (layouts.layout(name) for name in op.inputs)
    rows, inner_a = a[-2:][:: -1 if operator.transpose_a else 1]
    inner_b, columns = b[-2:][:: -1 if operator.transpose_b else 1]
    layouts.mix(op, (*inner_a, *inner_b), SUM)
    shape = layouts.graph.tensors[op.outputs[0]].shape
    leading = layouts.joined(op, (0, 1), shape, skipped=(len(shape) - 2, len(shape) - 1))[:-2]
    return [(*leading, rows, columns)]


@rule(Convolution)
def convolution(layouts: Layouts, op: Op, operator: Conv2D) -> list[Layout]:
    kernel = layouts.graph.tensors[op.inputs[1]].shape
    batch, *spatial, channels = layouts.layout(op.inputs[0])
    kept = windows(layouts, op, spatial, kernel[1:3], operator.strides)
    return [(batch, *kept, layouts.mixed(op, channels, output_size(layouts, op, 3), SUM))]


@rule(Pool2D)
def pooling(layouts: Layouts, op: Op, operator: Pool2D) -> list[Layout]:
    batch, *spatial, channels = layouts.layout(op.inputs[0])
    return [(batch, *windows(layouts, op, spatial, operator.size, operator.strides), channels)]


def windows(layouts: Layouts, op: Op, spatial: Any, kernel: Any, strides: Any) -> list[Axis]:
    """Height and width: kept where the window is one value wide."""
    axes = []
    for i, axis in enumerate(spatial):
        if kernel[i] == strides[i] == 1:
            axes.append(axis)
        else:
            axes.append(layouts.mixed(op, axis, output_size(layouts, op, i + 1), WINDOW))
    return axes


@rule(ResizeBilinear, ResizeNearest)
def resize(layouts: Layouts, op: Op, operator: Operator) -> list[Layout]:
    batch, *spatial, channels = layouts.layout(op.inputs[0])
    sizes = (output_size(layouts, op, 1), output_size(layouts, op, 2))
    resized = [
        layouts.mixed(op, axis, size, WINDOW) for axis, size in zip(spatial, sizes, strict=True)
    ]
    return [(batch, *resized, channels)]


# --- along some axes


@rule(Reduction)
def reduction(layouts: Layouts, op: Op, operator: Reduction) -> list[Layout]:
    layout = layouts.layout(op.inputs[0])
    for axis in operator.axes:
        layouts.mix(op, layout[axis], ALL)
    if operator.keep_dims:
        return [tuple(() if i in operator.axes else axis for i, axis in enumerate(layout))]
    return [tuple(axis for i, axis in enumerate(layout) if i not in operator.axes)]


@rule(ArgReduction)
def arg_reduction(layouts: Layouts, op: Op, operator: ArgReduction) -> list[Layout]:
    layout = layouts.layout(op.inputs[0])
    axis = normalized(operator.axis, len(layout))
    layouts.mix(op, layout[axis], ALL)
    return [layout[:axis] + layout[axis + 1 :]]


# --- loops


@rule(Scan)
def scan(layouts: Layouts, op: Op, operator: Scan) -> list[Layout]:
    """Steps and batch go on; what the cell does within a step is its own affair."""
    sequences = op.inputs[: operator.sequences]
    batch, steps = layouts.axis(sequences[0], 0), layouts.axis(sequences[0], TIME)
    for name in op.inputs[1:]:
        batch = layouts.meeting(op, batch, layouts.axis(name, 0))
    for name in sequences[1:]:
        steps = layouts.meeting(op, steps, layouts.axis(name, TIME))
    for index, name in enumerate(op.inputs):
        for axis in layouts.layout(name)[2 if index < operator.sequences else 1 :]:
            layouts.mix(op, axis, SUM)
    result: list[Layout] = []
    for index, name in enumerate(op.outputs):
        leading = (batch,) if index < operator.states else (batch, steps)
        sizes = layouts.graph.tensors[name].shape[len(leading) :]
        result.append((*leading, *(layouts.made(op, size, SUM) for size in sizes)))
    return result
