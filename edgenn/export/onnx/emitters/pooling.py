"""Pooling: channels-first."""

from typing import Any

from edgenn.export.onnx.activations import activated
from edgenn.export.onnx.context import Context
from edgenn.export.onnx.layouts import channels_first
from edgenn.export.onnx.padding import Window
from edgenn.export.onnx.registry import emitter
from edgenn.ir.graph import Op
from edgenn.ir.operator import Operator
from edgenn.ir.ops import AveragePool2D, MaxPool2D
from edgenn.ir.ops.pooling import Pool2D

POOLING: dict[type[Operator], tuple[str, dict[str, Any]]] = {
    MaxPool2D: ("MaxPool", {}),
    AveragePool2D: ("AveragePool", {"count_include_pad": 0}),
}


@emitter(*POOLING)
def pooling(op: Op, context: Context) -> None:
    pool = op.operator
    assert isinstance(pool, Pool2D)
    operator, attributes = POOLING[type(pool)]
    window = Window(pool.size, pool.strides, (1, 1), pool.padding)
    where = window.attributes(context.tensor(op.inputs[0]).shape)
    y = context.node(operator, [context.channels_first(op.inputs[0])], **attributes, **where)
    context.bind(op.output, activated(y, pool.activation, op, context), channels_first(4))
