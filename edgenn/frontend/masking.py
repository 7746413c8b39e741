"""Keras masks: which calls are given one, and which results carry one on.

A mask is a tensor, usually ``(batch, time)`` and bool, that says which steps count. Keras attaches
it to a tensor; here ``Context.masks`` keeps it by the tensor's name. What happens around a
layer's call is that of ``keras.Layer.__call__``: it fills in arguments called ``mask`` or
``<argument>_mask``, calls, and lets ``compute_mask`` say what the results carry.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from edgenn.frontend.context import Context, TensorName, as_array
from edgenn.frontend.keras_import import keras
from edgenn.frontend.keras_operations import operations

Follow = Callable[[Context, Callable[..., Any], Any, Any], Any]
"""``walking.follow``, which turns a traced function into ops."""

SAME_TENSOR = operations("Array", "Cast", "ConvertToTensor")
"""Operations that give the very tensor back, mask included, where they change nothing."""


@dataclass(frozen=True)
class Call:
    """A layer's call with its masks.

    Attributes:
        first: The first argument, whose mask the results may carry on.
        previous: The mask given to the call or, without one, that of the first argument.
        kwargs: Keyword arguments, with the masks that Keras fills in.
    """

    first: Any
    previous: Any
    kwargs: dict[str, Any]


def filled(context: Context, layer: Any, args: Any, kwargs: dict[str, Any]) -> Call:
    """What ``layer(*args, **kwargs)`` hands to ``layer.call``.

    Raises:
        UnsupportedError: The arguments are not those of ``layer.call``.
    """
    try:
        bound = inspect.signature(layer.call).bind_partial(*args, **kwargs)
    except TypeError as error:
        raise context.unsupported(f"{type(layer).__name__}.call: {error}", "") from error
    bound.apply_defaults()
    arguments = bound.arguments
    tensors = {name: value for name, value in arguments.items() if is_tensors(value)}
    single = len(tensors) == 1
    wanted = {"mask" if single else f"{name}_mask": value for name, value in tensors.items()}
    masks = {
        name: masks_of(context, value)
        for name, value in wanted.items()
        if name in arguments and arguments[name] is None
    }
    kwargs = {**kwargs, **{name: mask for name, mask in masks.items() if mask is not None}}
    first = next(iter(arguments.values()), None)
    given = kwargs.get("mask")
    return Call(first, masks_of(context, first) if given is None else given, kwargs)


def is_tensors(value: Any) -> bool:
    """Whether an argument is a tensor or a structure of nothing else (but ``None``)."""
    if keras.tree.is_nested(value):
        leaves = keras.tree.flatten(value)
        return len(value) > 0 and all(leaf is None or is_tensor(leaf) for leaf in leaves)
    return is_tensor(value)


def is_tensor(value: Any) -> bool:
    return isinstance(value, TensorName) or hasattr(value, "__array__")


def masks_of(context: Context, value: Any) -> Any:
    """The masks of a structure of tensors: the same structure, ``None`` where there is none."""
    return keras.tree.map_structure(
        lambda leaf: context.masks.get(leaf) if isinstance(leaf, str) else None, value
    )


def is_empty(masks: Any) -> bool:
    return all(mask is None for mask in keras.tree.flatten(masks))


def effective(kwargs: dict[str, Any]) -> dict[str, Any]:
    """``kwargs`` without masks of nothing, which no handler needs to see."""
    return {
        name: value
        for name, value in kwargs.items()
        if not (name == "mask" or name.endswith("_mask")) or not is_empty(value)
    }


def attach(context: Context, layer: Any, call: Call, result: Any, follow: Follow) -> None:
    """Lets the results of a layer's call carry the masks that the layer says they do.

    Raises:
        UnsupportedError: Its ``compute_mask`` cannot be traced.
    """
    names = keras.tree.flatten(result)
    if not layer.supports_masking or all(name in context.masks for name in names):
        return
    masks = keras.tree.flatten(computed(context, layer, call, follow))
    for name, mask in zip(names, masks, strict=False):  # as Keras pairs them
        if mask is not None and name not in context.masks:
            context.masks[name] = as_mask(context, mask)


def computed(context: Context, layer: Any, call: Call, follow: Follow) -> Any:
    """What ``layer.compute_mask`` gives."""
    if getattr(layer.compute_mask, "_is_default", False):
        return call.previous
    first_op, path = len(context.builder.ops), f"{context.path}/mask"
    with context.inside(f"{path}/"):
        masks = follow(context, layer.compute_mask, (call.first, call.previous), {})
    made = dict.fromkeys(mask for mask in keras.tree.flatten(masks) if mask is not None)
    names = {mask: context.rename(mask, path, first_op) for mask in made}
    return keras.tree.map_structure(names.get, masks)


def as_mask(context: Context, mask: Any) -> TensorName:
    return TensorName(mask if isinstance(mask, str) else context.constant(as_array(mask), "mask"))


def detached(context: Context, operation: Any, result: Any) -> Any:
    """A handler's result, which must not carry the mask of an input that it gives back.

    Keras's operations make new tensors, which carry no mask, and so do layers that do not
    support masking.
    """
    if not context.masks or isinstance(operation, SAME_TENSOR):
        return result
    if isinstance(operation, keras.Layer) and operation.supports_masking:
        return result
    return keras.tree.map_structure(context.detach, result)


# Keras's own masks, on symbolic tensors


def symbol_mask(symbol: Any) -> Any:
    return getattr(symbol, "_keras_mask", None)


def reconcile(context: Context, values: dict[int, str], node: Any) -> None:
    """Makes one tensor of a result's mask and of the same mask that a model has recorded.

    A functional model records how Keras computed the masks of its symbolic tensors, as far as
    calls were given them. They are those of a call on values where the inputs' masks are.

    Args:
        values: As in ``walking.walk``; has the call's results already.
    """
    for symbol in node.input_tensors:
        own, recorded = context.masks.get(values[id(symbol)]), symbol_mask(symbol)
        if own != (None if recorded is None else values.get(id(recorded))):
            return
    for symbol in node.outputs:
        name, recorded = values[id(symbol)], symbol_mask(symbol)
        mask = context.masks.get(name)
        if mask is not None and isinstance(recorded, keras.KerasTensor):
            context.masks[name] = TensorName(values.setdefault(id(recorded), mask))


def is_filled_in(node: Any) -> bool:
    """Whether a recorded call's mask is one that Keras filled in while it recorded.

    It is then that of the only positional argument. A trace knows less about masks than a call
    on values does, so it is left to ``filled``.
    """
    args, mask = node.arguments.args, node.arguments.kwargs.get("mask")
    if mask is None or len(args) != 1:
        return False
    pairs = zip(keras.tree.flatten(args[0]), keras.tree.flatten(mask), strict=False)
    return all(symbol_mask(symbol) is own for symbol, own in pairs)


def set_by_code(node: Any) -> Iterator[tuple[Any, Any]]:
    """``(symbol, mask)`` for results of a traced call that code gave a mask.

    Those of layers that support masking have theirs from ``compute_mask``.
    """
    operation = node.operation
    if not (isinstance(operation, keras.Layer) and operation.supports_masking):
        for symbol in node.outputs:
            if symbol_mask(symbol) is not None:
                yield symbol, symbol_mask(symbol)
