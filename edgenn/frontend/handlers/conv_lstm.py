"""The cell of ConvLSTM1D and ConvLSTM2D, and its loop (Shi et al. 2015, arXiv 1506.04214)."""

from dataclasses import replace
from typing import Any

from edgenn.frontend.compose.convolution import Window, convolve
from edgenn.frontend.compose.scan import Run, Steps, write_scan
from edgenn.frontend.context import Context
from edgenn.frontend.handlers.activations import activate
from edgenn.frontend.keras_import import keras
from edgenn.frontend.registry import handler
from edgenn.ir.ops import Add, Mul, Split

ConvLSTMCell = keras.src.layers.rnn.conv_lstm.ConvLSTMCell


@handler(ConvLSTMCell)
def step(context: Context, cell: Any, inputs: str, states: Any) -> Any:
    """One step: a convolution of the input, one of the state, and the gates."""
    return gates(context, cell, input_sum(context, cell, inputs), keras.tree.flatten(states))


def input_sum(context: Context, cell: Any, x: str) -> str:
    """The input's part of all four gates."""
    if cell.rank not in (1, 2):
        raise context.unsupported(
            f"a ConvLSTM{cell.rank}D convolves in {cell.rank} dimensions, which edgenn cannot",
            "use ConvLSTM1D or ConvLSTM2D",
        )
    return convolve(context, x, cell.kernel, cell.bias, Window.of(cell), "kernel")


def gates(context: Context, cell: Any, x: str, states: list[str]) -> tuple[str, list[str]]:
    """Output and new states; ``x`` is the input's part of the gates."""
    h, c = states
    window = Window(1, "same", 1, cell.data_format == "channels_first")
    recurrent = convolve(context, h, cell.recurrent_kernel, None, window, "recurrent_kernel")
    total = context.add(Add(), [x, recurrent])
    axis = 1 if window.channels_first else context.rank(total) - 1
    i, f, g, o = context.builder.add_multiple(
        Split(axis, (cell.filters,) * 4),
        [total],
        [f"{context.path}/{name}_sum" for name in ("input", "forget", "candidate", "output")],
    )
    i, f, o = (activate(context, cell.recurrent_activation, gate) for gate in (i, f, o))
    kept = context.add(Mul(), [f, c])
    added = context.add(Mul(), [i, activate(context, cell.activation, g)])
    c = context.add(Add(), [kept, added])
    h = context.add(Mul(), [o, activate(context, cell.activation, c)])
    return h, [h, c]


def run_loop(context: Context, cell: Any, steps: Steps) -> Run:
    """The loop. The convolution of the input is outside where batch or length is fixed."""
    batch, length, *sizes = context.shape(steps.x)

    def whole(inner: Context, x: str, states: list[str]) -> tuple[str, list[str]]:
        return gates(inner, cell, input_sum(inner, cell, x), states)

    def recurrent(inner: Context, x: str, states: list[str]) -> tuple[str, list[str]]:
        return gates(inner, cell, x, states)

    if batch is None and length is None:
        return write_scan(context, steps, whole, ("h", "c"))
    merged = None if batch is None or length is None else batch * length
    frames = context.reshape(context.cast(steps.x, "float32"), (merged, *sizes))
    projected = input_sum(context, cell, frames)
    x = context.reshape(projected, (batch, length, *context.shape(projected)[1:]))
    return write_scan(context, replace(steps, x=x), recurrent, ("h", "c"))
