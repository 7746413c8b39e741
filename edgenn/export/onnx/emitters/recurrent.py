"""LSTM, GRU and RNN: ONNX's own operators, time first and one slab for each direction."""

from collections.abc import Sequence
from typing import Any

from edgenn.export.onnx.context import Context
from edgenn.export.onnx.layouts import time_first
from edgenn.export.onnx.recurrent.activations import activation_attributes
from edgenn.export.onnx.recurrent.masks import KeptSteps, kept_steps
from edgenn.export.onnx.recurrent.weights import packed_weights
from edgenn.export.onnx.registry import emitter
from edgenn.ir.graph import Op
from edgenn.ir.ops.cell import CellActivation
from edgenn.ir.ops.recurrent import Gru, Lstm, Recurrent, SimpleRnn

KINDS: dict[type[Recurrent], str] = {Lstm: "LSTM", Gru: "GRU", SimpleRnn: "RNN"}
TIME_FIRST = time_first(3)
DIRECTION_AXIS = 1
"""Of a sequence ``(T, D, B, U)``; states are ``(D, B, U)``."""


@emitter(Lstm, Gru, SimpleRnn)
def recurrent(op: Op, context: Context) -> None:
    """The op, or the two directions that are written in its place; see ``pairs``."""
    ops = context.directions[op.outputs[0]]
    if ops:
        write(ops, context)


def write(ops: Sequence[Op], context: Context) -> None:
    """One node for one or two directions."""
    first = operator_of(ops[0])
    mask = first.mask(ops[0].inputs)
    kept = None if mask is None else kept_steps(mask, context)
    x = ops[0].inputs[0]
    inputs = [
        context.value(x, TIME_FIRST) if kept is None else kept.compact(x),
        *packed_weights(ops, context),
        "" if kept is None else kept.lengths,
        *initial_states(ops, context),
    ]
    while inputs[-1] == "":
        inputs.pop()
    wanted = [any(is_read(op.outputs[i], context) for op in ops) for i in range(1 + first.states)]
    results = context.node_with_some_outputs(
        KINDS[type(first)], inputs, wanted, **attributes([operator_of(op) for op in ops])
    )
    bind_sequences(ops, results[0], kept, context)
    for index, value in enumerate(results[1:]):
        bind_states(ops, index, value, kept, context)


def operator_of(op: Op) -> Recurrent:
    assert isinstance(op.operator, Recurrent)
    return op.operator


def is_read(name: str, context: Context) -> bool:
    return bool(context.graph.consumers[name]) or context.graph.is_output(name)


def attributes(operators: Sequence[Recurrent]) -> dict[str, Any]:
    """Of a node, for its directions in order."""
    first = operators[0]
    direction = "reverse" if first.reverse else "forward"
    functions = [function for operator in operators for function in activations(operator)]
    result = {
        "hidden_size": first.units,
        "direction": direction if len(operators) == 1 else "bidirectional",
        **activation_attributes(functions),
    }
    if isinstance(first, Gru):
        result["linear_before_reset"] = int(first.reset_after)
    return result


def activations(operator: Recurrent) -> list[CellActivation]:
    """Of one direction: gates, candidate and, in an LSTM, what the cell state goes through."""
    match operator:
        case Lstm():
            return [operator.recurrent_activation, operator.activation, operator.activation]
        case Gru():
            return [operator.recurrent_activation, operator.activation]
    return [operator.activation]


def initial_states(ops: Sequence[Op], context: Context) -> list[str]:
    """Each state of all directions, ``(D, B, U)``."""
    states = zip(*(operator_of(op).initial_states(op.inputs) for op in ops), strict=True)
    axes = context.attribute("axes", [0])
    return [
        joined([context.node("Unsqueeze", [context.value(n), axes]) for n in names], context)
        for names in states
    ]


def joined(slabs: Sequence[str], context: Context) -> str:
    return slabs[0] if len(slabs) == 1 else context.node("Concat", slabs, axis=0)


def by_direction(value: str, count: int, axis: int, context: Context) -> list[str]:
    """What each direction gave, without the axis of directions."""
    slabs = [value]
    if count > 1:
        slabs = context.node_with_outputs("Split", [value], count, axis=axis, num_outputs=count)
    axes = context.attribute("axes", [axis])
    return [context.node("Squeeze", [slab, axes]) for slab in slabs]


def bind_sequences(ops: Sequence[Op], value: str, kept: KeptSteps | None, context: Context) -> None:
    """``(T, D, B, U)`` as the ops' sequences."""
    if not value:
        return
    slabs = by_direction(value, len(ops), DIRECTION_AXIS, context)
    for op, slab in zip(ops, slabs, strict=True):
        name, operator = op.outputs[0], operator_of(op)
        if kept is None:
            context.bind(name, slab, TIME_FIRST)
        else:
            zeros = operator.zero_output_for_mask
            y = kept.spread(slab, name, reverse=operator.reverse, zeros=zeros)
            context.bind(name, y)


def bind_states(
    ops: Sequence[Op], index: int, value: str, kept: KeptSteps | None, context: Context
) -> None:
    """``(D, B, U)`` as one of the ops' final states.

    ONNX Runtime gives zeros for rows without any step; the state is the initial one.
    """
    if not value:
        return
    for op, slab in zip(ops, by_direction(value, len(ops), 0, context), strict=True):
        initial = operator_of(op).initial_states(op.inputs)
        if kept is not None and initial:
            slab = context.node("Where", [kept.any_kept, slab, context.value(initial[index])])
        context.bind(op.outputs[1 + index], slab)
