"""Finds the operations inside a layer, model or function that has no handler.

Its ``call`` runs on symbolic tensors; Keras records every layer and ``keras.ops`` operation
that is called on the way, as it does for functional models.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from edgenn.errors import EdgennError
from edgenn.frontend.context import Context, TensorName
from edgenn.frontend.keras_import import keras
from edgenn.frontend.recording import bound_again, recorded_loops

HANDLER_HINT = 'add a handler, see "Adding a layer" in CONTRIBUTING.md'
TRACE_HINT = (
    "call only Keras layers and keras.ops (no TensorFlow functions, no Python control flow on "
    f"values), or {HANDLER_HINT}"
)


@dataclass(frozen=True)
class Trace:
    """What happens inside a call.

    Attributes:
        symbols: The tensors that went in, and their masks → the symbolic ones that stood for them.
        result: What came out, a structure of symbolic tensors.
    """

    symbols: dict[TensorName, Any]
    result: Any


def trace(context: Context, function: Callable[..., Any], args: Any, kwargs: Any) -> Trace:
    """Calls ``function`` on symbolic tensors in place of those named in its arguments.

    A tensor that is given twice is the same symbolic tensor, and carries its mask as Keras's do.

    Raises:
        UnsupportedError: The function fails on symbolic tensors.
    """
    symbols: dict[TensorName, Any] = {}

    def symbol(value: Any) -> Any:
        if not isinstance(value, TensorName):
            return value
        if value not in symbols:
            tensor, mask = context.tensor(value), context.masks.get(value)
            symbols[value] = keras.KerasTensor(tensor.shape, tensor.dtype)
            if mask is not None:
                symbols[value]._keras_mask = symbol(mask)
        return symbols[value]

    args, kwargs = keras.tree.map_structure(symbol, (args, kwargs))
    if "training" in inspect.signature(function).parameters:
        kwargs = {**kwargs, "training": False}
    try:
        with symbolic_operands(), recorded_loops():
            result = bound_again(function)(*args, **kwargs)
    except EdgennError:
        raise
    except Exception as error:  # anything that a user's code may raise
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].split(". ")[0]
        raise context.unsupported(
            f"{describe(function)} has no handler and cannot be traced: {reason}",
            HANDLER_HINT if is_of_keras(function) else TRACE_HINT,
        ) from error
    return Trace(symbols, result)


BINARY_METHODS = tuple(
    f"__{operator}__"
    for operator in (
        *("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"),
        *("and", "or", "xor", "lt", "le", "gt", "ge", "eq", "ne"),
    )
)


@contextmanager
def symbolic_operands() -> Iterator[None]:
    """Lets variables and NumPy arrays stand on the left of a symbolic tensor: ``w * x``.

    Both would compute right away and fail. Here they leave the operation to the tensor on the
    right, which records it.
    """
    variable, tensor = keras.Variable, keras.KerasTensor

    def declining(method: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        return lambda self, other: (
            NotImplemented if isinstance(other, tensor) else method(self, other)
        )

    before = {name: vars(variable).get(name) for name in BINARY_METHODS}
    for name in BINARY_METHODS:
        setattr(variable, name, declining(getattr(variable, name)))
    tensor.__array_ufunc__ = None
    try:
        yield
    finally:
        del tensor.__array_ufunc__
        for name, method in before.items():
            if method is None:
                delattr(variable, name)
            else:
                setattr(variable, name, method)


def describe(function: Callable[..., Any]) -> str:
    """The layer's class, or the function's name."""
    owner, name = getattr(function, "__self__", None), getattr(function, "__name__", None)
    if owner is None:
        return f"function {name or function!r}"
    layer = f"layer of class {type(owner).__name__}"
    return layer if is_call(function) else f"{name} of {layer}"


def is_call(function: Callable[..., Any]) -> bool:
    """Whether it is what a layer computes, not what it says of masks."""
    return getattr(function, "__name__", None) == "call"


def is_of_keras(function: Callable[..., Any]) -> bool:
    """Whether it is the call of one of Keras's own layers, which the user does not write."""
    owner = type(getattr(function, "__self__", None))
    return owner.__module__.partition(".")[0] == "keras"


@contextmanager
def restored_nodes(model: Any) -> Iterator[None]:
    """Takes the calls recorded meanwhile off the model's layers again."""
    layers = [model, *model._flatten_layers(include_self=False)]
    before = [(len(layer._inbound_nodes), len(layer._outbound_nodes)) for layer in layers]
    try:
        yield
    finally:
        for layer, (inbound, outbound) in zip(layers, before, strict=True):
            del layer._inbound_nodes[inbound:]
            del layer._outbound_nodes[outbound:]
