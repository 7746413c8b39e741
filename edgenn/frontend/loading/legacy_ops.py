"""TensorFlow functions that Keras 2 stored as layers, by ``keras.ops``.

In a functional model of Keras 2, ``tf.nn.relu(x)`` and ``x[:, 1:]`` became layers of the classes
``TFOpLambda`` and ``SlicingOpLambda``, with the function's name and its arguments in the file.
"""

from collections.abc import Callable
from typing import Any

from edgenn.frontend.keras_import import keras

ops = keras.ops

_BINARY = {
    "add": ("math.add", "__operators__.add"),
    "subtract": ("math.subtract",),
    "multiply": ("math.multiply",),
    "true_divide": ("math.truediv", "math.divide", "realdiv"),
    "maximum": ("math.maximum",),
    "minimum": ("math.minimum",),
    "power": ("math.pow",),
}
_UNARY = {
    "abs": ("math.abs",),
    "ceil": ("math.ceil",),
    "cos": ("math.cos",),
    "elu": ("nn.elu",),
    "exp": ("math.exp",),
    "floor": ("math.floor",),
    "log": ("math.log",),
    "negative": ("math.negative",),
    "relu": ("nn.relu",),
    "relu6": ("nn.relu6",),
    "rsqrt": ("math.rsqrt",),
    "selu": ("nn.selu",),
    "sigmoid": ("math.sigmoid", "nn.sigmoid"),
    "sin": ("math.sin",),
    "softplus": ("math.softplus", "nn.softplus"),
    "softsign": ("nn.softsign",),
    "sqrt": ("math.sqrt",),
    "square": ("math.square",),
    "tanh": ("math.tanh", "nn.tanh"),
}
_REDUCTIONS = {
    "max": ("math.reduce_max",),
    "mean": ("math.reduce_mean",),
    "min": ("math.reduce_min",),
    "prod": ("math.reduce_prod",),
    "sum": ("math.reduce_sum",),
}


# The parameters below are TensorFlow's, by its names; a call with any other one is refused.


def _binary(operation: Callable[..., Any]) -> Callable[..., Any]:
    def function(x: Any, y: Any) -> Any:
        return operation(x, y)

    return function


def _unary(operation: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: operation(x)


def _reduction(operation: Callable[..., Any]) -> Callable[..., Any]:
    def function(input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Any:
        axes = tuple(axis) if isinstance(axis, list) else axis
        return operation(input_tensor, axis=axes, keepdims=keepdims)

    return function


def _clip(t: Any, clip_value_min: Any, clip_value_max: Any) -> Any:
    return ops.clip(t, clip_value_min, clip_value_max)


def _softmax(logits: Any, axis: int = -1) -> Any:
    return ops.softmax(logits, axis=axis)


def _log_softmax(logits: Any, axis: int = -1) -> Any:
    return ops.log_softmax(logits, axis=axis)


def _leaky_relu(features: Any, alpha: float = 0.2) -> Any:
    return ops.leaky_relu(features, negative_slope=alpha)


def _gelu(features: Any, approximate: bool = False) -> Any:
    return ops.gelu(features, approximate=approximate)


def _swish(features: Any, beta: float = 1.0) -> Any:
    return ops.multiply(features, ops.sigmoid(ops.multiply(features, beta)))


def _reshape(tensor: Any, shape: Any) -> Any:
    return ops.reshape(tensor, tuple(shape))


def _transpose(a: Any, perm: Any = None, conjugate: bool = False) -> Any:
    if conjugate:
        raise TypeError("conjugate=True is not translated")
    return ops.transpose(a, axes=perm)


def _expand_dims(input: Any, axis: int) -> Any:  # noqa: A002 (TensorFlow's name)
    return ops.expand_dims(input, axis)


def _squeeze(input: Any, axis: Any = None) -> Any:  # noqa: A002 (TensorFlow's name)
    return ops.squeeze(input, tuple(axis) if isinstance(axis, list) else axis)


def _concat(values: Any, axis: int) -> Any:
    return ops.concatenate(values, axis=axis)


def _stack(values: Any, axis: int = 0) -> Any:
    return ops.stack(values, axis=axis)


def _split(value: Any, num_or_size_splits: Any, axis: int = 0) -> Any:
    if isinstance(num_or_size_splits, int):
        return ops.split(value, num_or_size_splits, axis=axis)
    ends = [sum(num_or_size_splits[: i + 1]) for i in range(len(num_or_size_splits) - 1)]
    return ops.split(value, ends, axis=axis)


def _pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0) -> Any:
    if mode.upper() == "CONSTANT":
        return ops.pad(tensor, paddings, constant_values=constant_values)
    return ops.pad(tensor, paddings, mode=mode.lower())


def _cast(x: Any, dtype: Any) -> Any:
    return ops.cast(x, dtype)


def _tile(input: Any, multiples: Any) -> Any:  # noqa: A002 (TensorFlow's name)
    return ops.tile(input, multiples)


def _matmul(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False) -> Any:
    def last_two_swapped(x: Any) -> Any:
        return ops.swapaxes(x, -1, -2)

    return ops.matmul(
        last_two_swapped(a) if transpose_a else a, last_two_swapped(b) if transpose_b else b
    )


def _resize(images: Any, size: Any, method: str = "bilinear", antialias: bool = False) -> Any:
    if method not in ("bilinear", "nearest"):
        raise TypeError(f"method={method!r} is not translated")
    return ops.image.resize(images, tuple(size), interpolation=method, antialias=antialias)


def _getitem(tensor: Any, slice_spec: Any) -> Any:
    return tensor[tuple(_index(entry) for entry in slice_spec)]


def _index(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    if entry.get("class_name") == "__ellipsis__":
        return Ellipsis
    return slice(entry["start"], entry["stop"], entry["step"])


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: _binary(getattr(ops, op)) for op, names in _BINARY.items() for name in names},
    **{name: _unary(getattr(ops, op)) for op, names in _UNARY.items() for name in names},
    **{name: _reduction(getattr(ops, op)) for op, names in _REDUCTIONS.items() for name in names},
    "__operators__.getitem": _getitem,
    "cast": _cast,
    "clip_by_value": _clip,
    "concat": _concat,
    "expand_dims": _expand_dims,
    "image.resize": _resize,
    "linalg.matmul": _matmul,
    "nn.gelu": _gelu,
    "nn.leaky_relu": _leaky_relu,
    "nn.log_softmax": _log_softmax,
    "nn.silu": _swish,
    "nn.softmax": _softmax,
    "nn.swish": _swish,
    "pad": _pad,
    "reshape": _reshape,
    "split": _split,
    "squeeze": _squeeze,
    "stack": _stack,
    "tile": _tile,
    "transpose": _transpose,
}


def function_named(name: str) -> Callable[..., Any] | None:
    """The translation of ``tf.<name>``; the TF 1 spellings have the same parameters."""
    return FUNCTIONS.get(name.removeprefix("compat.v1."))


@keras.saving.register_keras_serializable(package="edgenn")
class TensorFlowOp(keras.layers.Layer):  # type: ignore[misc]  # keras has no types
    """One call of a TensorFlow function, under the name that Keras 2 gave the layer.

    Args:
        function: As in ``tf.<function>``.
        arguments: Positional arguments; ``{"tensor": i}`` stands for the i-th input.
        keywords: Keyword arguments, with the same placeholders.
    """

    def __init__(
        self, function: str, arguments: list[Any], keywords: dict[str, Any], **kwargs: Any
    ) -> None:
        super().__init__(**{**kwargs, "autocast": False})  # TensorFlow's functions cast nothing
        self.function, self.arguments, self.keywords = function, arguments, keywords

    def call(self, tensors: list[Any]) -> Any:
        function = function_named(self.function)
        assert function is not None  # the translation of the file has checked it
        filled = _fill(self.keywords, tensors)
        return function(*_fill(self.arguments, tensors), **filled)

    def get_config(self) -> dict[str, Any]:
        stored = {
            "function": self.function,
            "arguments": self.arguments,
            "keywords": self.keywords,
        }
        return {**super().get_config(), **stored}


def _fill(value: Any, tensors: list[Any]) -> Any:
    """``value`` with its placeholders replaced by tensors."""
    if isinstance(value, dict):
        if set(value) == {"tensor"}:
            return tensors[value["tensor"]]
        return {key: _fill(entry, tensors) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_fill(entry, tensors) for entry in value]
    return value
