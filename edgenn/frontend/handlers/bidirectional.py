"""Two layers over one sequence, from both ends."""

from typing import Any

from edgenn.frontend.compose import time
from edgenn.frontend.context import Context, TensorName
from edgenn.frontend.handlers.recurrent import finished, prepared
from edgenn.frontend.handlers.running import run
from edgenn.frontend.keras_import import keras
from edgenn.frontend.recording import is_of_keras
from edgenn.frontend.registry import handler
from edgenn.frontend.walking import convert
from edgenn.ir.ops import Add, Concatenation, Mul

layers = keras.layers

Outputs = tuple[str, list[str]]
"""An output, a sequence in input order, and the final states."""


@handler(layers.Bidirectional)
def bidirectional(
    context: Context, layer: Any, sequences: str, initial_state: Any = None, mask: Any = None
) -> Any:
    """All merge modes; layers of different kinds and sizes."""
    inner = [layer.forward_layer, layer.backward_layer]
    states: list[Any] = [None, None]
    if initial_state is not None:
        half = len(initial_state) // 2
        states = [initial_state[:half], initial_state[half:]]
    if all(map(is_plain, inner)):
        results = both(context, inner, sequences, states, time.as_mask(context, sequences, mask))
    else:
        results = [
            converted(context, one, sequences, state, mask)
            for one, state in zip(inner, states, strict=True)
        ]
    outputs = merged(context, layer.merge_mode, [output for output, _ in results])
    if layer.return_sequences and layer.forward_layer.go_backwards:
        outputs = [time.reversed_in_time(context, output) for output in outputs]
    final = [state for _, states in results for state in states]
    if layer.return_state:
        return checked(context, outputs + final)
    return outputs if layer.merge_mode is None else outputs[0]


def is_plain(layer: Any) -> bool:
    """Whether a layer's call is the one that edgenn knows."""
    return isinstance(layer, layers.RNN) and is_of_keras(type(layer).call)


def both(
    context: Context, inner: list[Any], x: str, states: list[Any], mask: str | None
) -> list[Outputs]:
    """Both directions, one operator right after the other."""
    steps = []
    for layer, state in zip(inner, states, strict=True):
        with context.call(f"{context.path}/{layer.name}", context.outputs):
            steps.append(prepared(context, layer, x, state, mask))
    results = []
    for layer, own in zip(inner, steps, strict=True):
        with context.call(f"{context.path}/{layer.name}", context.outputs):
            results.append(run(context, layer.cell, own))
    return [finished(context, *each) for each in zip(inner, steps, results, strict=True)]


def converted(context: Context, layer: Any, x: str, state: Any, mask: Any) -> Outputs:
    """A direction whose layer is another."""
    given = {"initial_state": state, "mask": mask if layer._call_has_mask_arg else None}
    given = {name: value for name, value in given.items() if value is not None}
    with context.call(f"{context.path}/{layer.name}", context.outputs):
        result = convert(context, layer, (TensorName(x),), given)
    output, *final = result if layer.return_state else [result]
    if layer.return_sequences and layer.go_backwards:
        output = time.reversed_in_time(context, output)
    return output, list(keras.tree.flatten(final))


def merged(context: Context, mode: str | None, outputs: list[str]) -> list[str]:
    """The outputs of both directions as ``merge_mode`` has them."""
    if mode is None:
        return outputs
    if mode == "concat":
        return [context.add(Concatenation(context.rank(outputs[0]) - 1), outputs)]
    if mode == "mul":
        return [context.add(Mul(), outputs)]
    total = context.add(Add(), outputs)
    return [total if mode == "sum" else context.apply(Mul(), total, 0.5)]


def checked(context: Context, outputs: list[str]) -> Any:
    """Keras announces twice the states of the forward layer."""
    if len(outputs) != len(context.outputs):
        raise context.unsupported(
            f"it returns {len(outputs)} tensors, but Keras expects {len(context.outputs)}",
            "give both directions layers with equally many states",
        )
    return outputs
