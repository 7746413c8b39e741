"""Walks the calls that Keras recorded and turns each into ops."""

import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any

from edgenn.errors import UnsupportedError
from edgenn.frontend.context import Context, TensorName
from edgenn.frontend.keras_import import keras
from edgenn.frontend.registry import HANDLERS
from edgenn.frontend.tracing import HANDLER_HINT, trace
from edgenn.ir.operator import ShapeError

IGNORES_MASK = (keras.layers.BatchNormalization,)
"""Layers with a ``mask`` argument that changes nothing at inference."""


def walk(context: Context, values: dict[int, str], outputs: Iterable[Any], traced: bool) -> None:
    """Turns the calls that lead to ``outputs`` into ops, in topological order.

    Args:
        values: ``id`` of a symbolic tensor → tensor name; holds the inputs, gets the rest.
        outputs: Symbolic tensors.
        traced: The calls come from a trace: operations have no lasting names.
    """
    for node in sorted_nodes(values, outputs):
        args, kwargs = node.arguments.convert(lambda value: resolve(values, value))
        operation = node.operation
        if isinstance(operation, keras.Layer) or not traced:
            path = context.call_path(operation.name)
        else:
            path = context.call_path(snake_case(type(operation).__name__), "_")
        with context.call(path, node.outputs):
            if traced:
                check_training(context, operation, kwargs)
            result = convert(context, operation, args, kwargs)
        names = keras.tree.flatten(result)
        values.update({id(t): name for t, name in zip(node.outputs, names, strict=True)})


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


def convert(context: Context, operation: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Turns one call into ops; the result's tensors are named after the current path.

    Raises:
        UnsupportedError: There is no handler and no way to trace it.
    """
    check_weights(context, operation)
    given = {k: v for k, v in kwargs.items() if v is not None and k != "training"}
    function = functional_of(operation)
    if function is not None:
        with context.inside(f"{context.path}/"):
            return inline(context, function, args, given)
    first_op = len(context.builder.ops)
    handler = HANDLERS.get(type(operation))
    if handler is not None and handler.accepts(given):
        try:
            result = handler(context, operation, *args, **given)
        except ShapeError as error:
            raise context.unsupported(f"{type(operation).__name__}: {error}", "") from error
    elif isinstance(operation, keras.Layer):
        with context.inside(f"{context.path}/"):
            result = follow(context, operation.call, args, given)
    else:
        kind = type(operation).__name__
        raise context.unsupported(f"operation {kind} is not supported", HANDLER_HINT)
    carry_mask(context, operation, args, result)
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


def carry_mask(context: Context, operation: Any, args: Any, result: Any) -> None:
    """Follows Keras masks; one that would change a layer's result is an error."""
    inputs = [value for value in keras.tree.flatten(args) if isinstance(value, str)]
    if context.masked.isdisjoint(inputs) or not isinstance(operation, keras.Layer):
        return
    if operation._call_has_mask_arg and not isinstance(operation, IGNORES_MASK):
        raise context.unsupported(
            f"{type(operation).__name__} would use the mask of a mask_zero embedding or Masking",
            "build the layers before it without mask_zero and Masking",
        )
    if operation.supports_masking:
        context.masked.update(keras.tree.flatten(result))


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
    names = keras.tree.flatten((args, kwargs))
    values = {
        id(reference): context.cast(name, reference.dtype)
        for reference, name in zip(function.inputs, names, strict=True)
    }
    walk(context, values, function.outputs, traced=False)
    return keras.tree.map_structure(lambda t: values[id(t)], function._outputs_struct)


def follow(context: Context, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """The ops of a traced function in place of its call."""
    traced = trace(context, function, args, kwargs)
    values = {
        id(symbol): str(name) for symbol, name in zip(traced.symbols, traced.tensors, strict=True)
    }
    flat = keras.tree.flatten(traced.result)
    walk(context, values, [t for t in flat if isinstance(t, keras.KerasTensor)], traced=True)

    def name_of(value: Any) -> str:
        if isinstance(value, keras.KerasTensor):
            return values[id(value)]
        return context.constant(value, "result")

    return keras.tree.map_structure(name_of, traced.result)


def snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
