"""Loops over time of any cell: ONNX's Scan."""

from edgenn.export.onnx.context import Context
from edgenn.export.onnx.dtypes import value_dtype
from edgenn.export.onnx.recurrent.body import body
from edgenn.export.onnx.registry import emitter
from edgenn.ir.graph import Op
from edgenn.ir.ops.scan import TIME, Scan
from edgenn.ir.tensor import Tensor


@emitter(Scan)
def scan(op: Op, context: Context) -> None:
    """States come first in ONNX, and sequences keep the batch in front."""
    loop = op.operator
    assert isinstance(loop, Scan)
    sequences = [context.value(name) for name in op.inputs[: loop.sequences]]
    if loop.zero_state:
        states = [zeros(tensor, sequences[0], context) for tensor in loop.state_tensors]
    else:
        states = [context.value(name) for name in op.inputs[loop.sequences :]]
    step = body(loop.cell, loop.sequences, context)
    context.begin(op.outputs[0])
    results = context.node_with_outputs(
        "Scan",
        [*states, *sequences],
        len(op.outputs),
        body=step,
        num_scan_inputs=loop.sequences,
        **axes_and_directions("input", loop.sequences, loop),
        **axes_and_directions("output", len(op.outputs) - loop.states, loop),
    )
    for name, value in zip(op.outputs, results, strict=True):
        context.bind(name, value)


def axes_and_directions(what: str, count: int, loop: Scan) -> dict[str, list[int]]:
    """Attributes for the sequences that go in or come out, if there are any."""
    if not count:
        return {}
    return {
        f"scan_{what}_axes": [TIME] * count,
        f"scan_{what}_directions": [int(loop.reverse)] * count,
    }


def zeros(state: Tensor, sequence: str, context: Context) -> str:
    """A state of zeros for as many rows as a sequence has."""
    batch = context.node("Shape", [sequence], start=0, end=1)
    sizes = context.attribute("sizes", [size or 1 for size in state.shape[1:]])
    shape = context.node("Concat", [batch, sizes], axis=0)
    zero = context.attribute("zero", 0, value_dtype(state))
    return context.node("Expand", [zero, shape])
