"""Steps of sequences, chosen row by row."""

from edgenn.export.onnx.context import Context
from edgenn.export.onnx.dtypes import ELEMENT_TYPES
from edgenn.export.onnx.registry import emitter
from edgenn.ir.graph import Op
from edgenn.ir.ops import CountTrue, GatherSteps


@emitter(GatherSteps)
def gather_steps(op: Op, context: Context) -> None:
    """GatherND takes int64 and, beside the batch, a row of numbers for each result."""
    x, indices = (context.value(name) for name in op.inputs)
    wide = context.node("Cast", [indices], to=ELEMENT_TYPES["int64"])
    column = context.node("Unsqueeze", [wide, context.attribute("axes", [2])])
    context.bind(op.output, context.node("GatherND", [x, column], batch_dims=1))


@emitter(CountTrue)
def count_true(op: Op, context: Context) -> None:
    numbers = context.node("Cast", [context.value(op.inputs[0])], to=ELEMENT_TYPES["int32"])
    axis = context.attribute("axis", context.tensor(op.output).rank - 1)
    context.bind(op.output, context.node("CumSum", [numbers, axis]))
