"""Walks the calls that Keras recorded and turns each into ops."""

import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any

from edgenn.errors import UnsupportedError
from edgenn.frontend import masking
from edgenn.frontend.context import Context, TensorName
from edgenn.frontend.keras_import import keras
from edgenn.frontend.registry import HANDLERS
from edgenn.frontend.tracing import HANDLER_HINT, trace
from edgenn.ir.operator import ShapeError

TAKES_MASKS_OFF = (keras.layers.MultiHeadAttention,)
"""Layers that take the masks off their inputs, so that calls after theirs see none."""


def walk(
    context: Context, values: dict[int, str], outputs: Iterable[Any], function: Any = None
) -> None:
    """Turns the calls that lead to ``outputs`` into ops, in topological order.

    Args:
        values: ``id`` of a symbolic tensor → tensor name; holds the inputs, gets the rest.
        outputs: Symbolic tensors.
        function: The functional model that recorded the calls. Without one they come from a
            trace, where operations have no lasting names.
    """
    traced = function is None
    nodes = sorted_nodes(values, outputs)
    if any(isinstance(node.operation, TAKES_MASKS_OFF) for node in nodes):
        order = time_of_recording if traced else position_in(function)
        nodes = in_order(nodes, values, order)
    for node in nodes:
        if all(id(tensor) in values for tensor in node.outputs):
            continue  # on the way to a mask
        args, kwargs = node.arguments.convert(lambda value: resolve(values, value))
        operation = node.operation
        if isinstance(operation, keras.Layer) or not traced:
            path = context.call_path(operation.name)
        else:
            path = context.call_path(snake_case(type(operation).__name__), "_")
        with context.call(path, node.outputs):
            if traced:
                check_training(context, operation, kwargs)
                if masking.is_filled_in(node):
                    del kwargs["mask"]
            result = convert(context, operation, args, kwargs)
        names = keras.tree.flatten(result)
        values.update({id(t): name for t, name in zip(node.outputs, names, strict=True)})
        if not traced:
            masking.reconcile(context, values, node)
            continue
        for symbol, mask in masking.set_by_code(node):
            context.masks[values[id(symbol)]] = mask_name(context, values, mask)


def resolve(values: dict[int, str], value: Any) -> Any:
    return TensorName(values[id(value)]) if isinstance(value, keras.KerasTensor) else value


def sorted_nodes(values: dict[int, str], outputs: Iterable[Any]) -> list[Any]:
    """The nodes between ``values`` and ``outputs``, each after those it depends on."""
    done: dict[int, Any] = {}
    stack = [(node_of(t), False) for t in reversed(list(outputs)) if id(t) not in values]
    while stack:
        node, complete = stack.pop()
        if complete:
            done.setdefault(id(node), node)
        elif id(node) not in done:
            stack.append((node, True))
            stack.extend(
                (node_of(t), False) for t in reversed(node.input_tensors) if id(t) not in values
            )
    return list(done.values())


def node_of(tensor: Any) -> Any:
    """The recorded call that made a symbolic tensor."""
    history = tensor._keras_history
    if history.operation is None or isinstance(history.operation, keras.layers.InputLayer):
        raise UnsupportedError(
            f"tensor {tensor.name!r} is used by the model but is none of its inputs",
            "make it an input of the model",
        )
    return history.operation._inbound_nodes[history.node_index]


def in_order(nodes: list[Any], values: dict[int, str], order: Callable[[Any], int]) -> list[Any]:
    """The nodes in another order, if that also has each after those it depends on."""
    known = set(values)
    reordered = sorted(nodes, key=order)
    for node in reordered:
        if not known.issuperset(id(tensor) for tensor in node.input_tensors):
            return nodes
        known.update(id(tensor) for tensor in node.outputs)
    return reordered


def position_in(function: Any) -> Callable[[Any], int]:
    """The order in which a functional model makes its calls."""
    depths = function._nodes_by_depth
    nodes = [node for depth in sorted(depths, reverse=True) for node in depths[depth]]
    positions = {id(node): position for position, node in enumerate(nodes)}
    return lambda node: positions[id(node)]


def time_of_recording(node: Any) -> int:
    """The order in which a trace's calls were made: symbolic tensors are numbered."""
    number = node.outputs[0].name.rpartition("_")[2]
    return int(number) if number.isdigit() else 0


def convert(context: Context, operation: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Turns one call into ops; the result's tensors are named after the current path.

    It is Keras's ``operation(*args, **kwargs)``: a layer is given the masks that its inputs
    carry, and its results carry those that it says they do.

    Raises:
        UnsupportedError: There is no handler and no way to trace it.
    """
    given = {k: v for k, v in kwargs.items() if v is not None and k != "training"}
    if not isinstance(operation, keras.Layer):
        return call(context, operation, args, given)
    layer_call = masking.filled(context, operation, args, given)
    result = call(context, operation, args, layer_call.kwargs)
    masking.attach(context, operation, layer_call, result, follow)
    return result


def call(context: Context, operation: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """``convert`` for Keras's ``operation.call(*args, **kwargs)``: masks only as given."""
    check_weights(context, operation)
    function = functional_of(operation)
    if function is not None:
        with context.inside(f"{context.path}/"):
            return inline(context, function, args, kwargs)
    first_op = len(context.builder.ops)
    handler, given = HANDLERS.get(type(operation)), masking.effective(kwargs)
    if handler is not None and handler.accepts(given):
        try:
            result = handler(context, operation, *args, **given)
        except ShapeError as error:
            raise context.unsupported(f"{type(operation).__name__}: {error}", "") from error
        result = masking.detached(context, operation, result)
    elif isinstance(operation, keras.Layer):
        with context.inside(f"{context.path}/"):
            result = follow(context, operation.call, args, kwargs)
    else:
        kind = type(operation).__name__
        raise context.unsupported(f"operation {kind} is not supported", HANDLER_HINT)
    if isinstance(operation, keras.Model):
        return result
    return named(context, result, first_op)


def named(context: Context, result: Any, first_op: int) -> Any:
    """Renames a call's tensors to its path: ``path``, the second one ``path:1``."""
    flat = keras.tree.flatten(result)
    unique = {
        name: context.rename(name, context.path if i == 0 else f"{context.path}:{i}", first_op)
        for i, name in enumerate(dict.fromkeys(flat))
    }
    return keras.tree.map_structure(lambda name: unique[name], result)


def check_training(context: Context, operation: Any, kwargs: dict[str, Any]) -> None:
    """A layer that is told to train whatever its model does has no inference form.

    Functional models hand their own ``training`` down, so what they have recorded is moot.
    """
    if kwargs.get("training") is True:
        default = inspect.signature(operation.call).parameters["training"].default
        if default is not True:
            raise context.unsupported(
                f"{type(operation).__name__} is called with training=True",
                "call it without: an exported model is for inference",
            )


def check_weights(context: Context, operation: Any) -> None:
    if getattr(operation, "quantization_mode", None) is not None:
        raise context.unsupported(
            f"its weights are quantised by Keras ({operation.quantization_mode})",
            "convert the model as it was before model.quantize()",
        )


def functional_of(operation: Any) -> Any:
    """The recorded graph of a functional or Sequential model; ``None`` for anything else."""
    functional = keras.src.models.functional.Functional
    call = getattr(type(operation), "call", None)
    if isinstance(operation, keras.Sequential) and call is keras.Sequential.call:
        return operation._functional
    if isinstance(operation, functional) and call is functional.call:
        return operation
    return None


def inline(context: Context, function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """The ops of a nested model in place of its call."""
    masks = keras.tree.flatten(kwargs.get("mask"))
    names = keras.tree.flatten((args, {k: v for k, v in kwargs.items() if k != "mask"}))
    values = {
        id(reference): context.cast(name, reference.dtype)
        for reference, name in zip(function.inputs, names, strict=True)
    }
    for reference, mask in zip(function.inputs, masks, strict=False):
        if mask is not None:
            context.masks[values[id(reference)]] = masking.as_mask(context, mask)
    walk(context, values, function.outputs, function)
    return keras.tree.map_structure(lambda t: values[id(t)], function._outputs_struct)


def follow(context: Context, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """The ops of a traced function in place of its call."""
    traced = trace(context, function, args, kwargs)
    values = {id(symbol): str(name) for name, symbol in traced.symbols.items()}
    for name, symbol in traced.symbols.items():
        mask = masking.symbol_mask(symbol)
        if mask is None:
            context.masks.pop(name, None)
        elif id(mask) not in values:
            context.masks[name] = mask_name(context, values, mask)
    flat = keras.tree.flatten(traced.result)
    walk(context, values, [t for t in flat if isinstance(t, keras.KerasTensor)])

    def name_of(value: Any) -> str | None:
        if isinstance(value, keras.KerasTensor):
            return values[id(value)]
        return None if value is None else context.constant(value, "result")

    return keras.tree.map_structure(name_of, traced.result)


def mask_name(context: Context, values: dict[int, str], mask: Any) -> Any:
    """The tensor of a mask that a traced function made."""
    if not isinstance(mask, keras.KerasTensor):
        return masking.as_mask(context, mask)
    walk(context, values, [mask])
    return TensorName(values[id(mask)])


def snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
