"""Element-wise functions: a look-up in a table where they are integers, else their steps."""

from edgenn.export.onnx.context import Context
from edgenn.export.onnx.dtypes import ELEMENT_TYPES
from edgenn.export.onnx.quantization import stored_integers
from edgenn.export.onnx.registry import EMITTERS, emitter
from edgenn.ir.graph import Op
from edgenn.ir.ops.function import ElementwiseFunction


@emitter(ElementwiseFunction)
def function(op: Op, context: Context) -> None:
    (name,) = op.inputs
    x = context.tensor(name)
    if x.quantization is not None and x.dtype == "int8" and not context.is_constant(name):
        look_up(op, context)
    else:
        steps(op, context)


def look_up(op: Op, context: Context) -> None:
    """One rounding, and a value where the function is not defined, as in the TFLite file.

    The file holds int8 128 higher, as uint8: the integers are the table's indices.
    """
    assert isinstance(op.operator, ElementwiseFunction)
    (name,) = op.inputs
    x, output = context.tensor(name), context.tensor(op.output)
    assert x.quantization is not None
    entries = op.operator.table(x.quantization, output)
    if output.quantization is not None:
        entries = stored_integers(entries, output.quantization)
    order = context.common_order(op.inputs)
    index = context.node("Cast", [context.integers(name, order)], to=ELEMENT_TYPES["int32"])
    table = context.attribute("table", entries, entries.dtype.name)
    y = context.node("Gather", [table, index], axis=0)
    if output.quantization is None:
        context.bind(op.output, y, order)
    else:
        context.bind_integers(op.output, y, order)


def steps(op: Op, context: Context) -> None:
    """The ops that the function is made of."""
    assert isinstance(op.operator, ElementwiseFunction)
    tensors = dict(context.graph.tensors)
    ops = op.operator.written_out(op, tensors)
    context.graph = context.graph.with_(tensors=tensors)
    for step in ops:
        EMITTERS[type(step.operator)](step, context)
