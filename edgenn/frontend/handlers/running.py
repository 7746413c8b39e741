"""Runs any cell over a sequence: as its own operator, as a stack of those, or as a loop."""

from dataclasses import replace
from typing import Any

from edgenn.frontend.compose.scan import Cell, Run, Steps, write_scan
from edgenn.frontend.context import Context, TensorName
from edgenn.frontend.handlers import cells, conv_lstm
from edgenn.frontend.keras_import import keras
from edgenn.frontend.walking import convert, follow

layers = keras.layers


def run(context: Context, cell: Any, steps: Steps) -> Run:
    """A cell over its steps; its ops are named after the current call."""
    kind = type(cell)
    if kind in cells.OPERATORS:
        return run_operator(cells.OPERATORS[kind], context, cell, steps)
    if kind is layers.StackedRNNCells:
        return run_stack(context, cell, steps)
    if kind is conv_lstm.ConvLSTMCell:
        return conv_lstm.run_loop(context, cell, steps)
    return write_scan(context, steps, traced(cell, steps.initial))


def run_operator(make: cells.Make, context: Context, cell: Any, steps: Steps) -> Run:
    """LSTM, GRU or simple RNN as one op, that ``make`` makes of the cell."""
    initial = steps.initial_states(context)
    if any(context.shape(state)[1:] != (cell.units,) for state in initial):
        raise context.unsupported(
            f"its initial states are {[context.shape(state) for state in initial]}",
            f"give it states of {cell.units} values each",
        )
    operator = replace(
        make(context, cell),
        initial=bool(initial),
        masked=steps.mask is not None,
        zero_output_for_mask=steps.mask is not None and steps.zeroed,
        reverse=steps.reverse,
    )
    inputs = [context.cast(steps.x, "float32"), *cells.weights(context, cell, operator), *initial]
    if steps.mask is not None:
        inputs.append(steps.mask)
    names = [f"{context.path}/{name}" for name in ("sequence", *operator.state_names)]
    sequence, *final = context.builder.add_multiple(operator, inputs, names)
    unstarted = operator.initial and operator.masked and not operator.zero_output_for_mask
    return Run(sequence if steps.stacked else None, final[0], final, unstarted)


def run_stack(context: Context, stack: Any, steps: Steps) -> Run:
    """Cells one above the other: each runs over all steps of the one below."""
    final: list[str] = []
    x = steps.x
    for i, (cell, initial) in enumerate(zip(stack.cells, steps.initial, strict=False), 1):
        top = i == len(stack.cells)
        own = replace(
            steps,
            x=x,
            initial=list(initial) if keras.tree.is_nested(initial) else [initial],
            zeroed=steps.zeroed and top,
            stacked=steps.stacked or not top,
        )
        with context.call(f"{context.path}/{name_of(cell)}", context.outputs):
            result = run(context, cell, own)
        x = result.sequence or x
        final.extend(result.final)
    return replace(result, final=final)


def traced(cell: Any, structure: Any) -> Cell:
    """One step of any other cell: what happens inside its ``call``.

    Args:
        structure: That of its states.
    """

    def write(inner: Context, x: str, states: list[str]) -> tuple[str, list[str]]:
        names = iter(map(TensorName, states))
        packed = tuple(keras.tree.map_structure(lambda _: next(names), structure))
        if isinstance(cell, keras.Layer):
            with inner.call(inner.path.removesuffix("cell") + cell.name, inner.outputs):
                result = convert(inner, cell, (TensorName(x), packed), {})
        else:
            with inner.inside(f"{inner.path}/"):
                result = follow(inner, cell, (TensorName(x), packed), {})
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise inner.unsupported(
                f"cell {type(cell).__name__} does not return an output and new states",
                "see the documentation of keras.layers.RNN",
            )
        return str(result[0]), [str(state) for state in keras.tree.flatten(result[1])]

    return write


def name_of(cell: Any) -> str:
    return str(getattr(cell, "name", type(cell).__name__.lower()))
