"""Element-wise functions: their steps, in float between the grids of input and output."""

from edgenn.export.onnx.context import Context
from edgenn.export.onnx.registry import EMITTERS, emitter
from edgenn.ir.graph import Op
from edgenn.ir.ops.function import ElementwiseFunction


@emitter(ElementwiseFunction)
def function(op: Op, context: Context) -> None:
    assert isinstance(op.operator, ElementwiseFunction)
    tensors = dict(context.graph.tensors)
    steps = op.operator.written_out(op, tensors)
    context.graph = context.graph.with_(tensors=tensors)
    for step in steps:
        EMITTERS[type(step.operator)](step, context)
