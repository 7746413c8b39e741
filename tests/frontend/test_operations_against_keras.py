"""Every handled ``keras.ops`` operation: the captured graph gives what Keras gives."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.captured import assert_captured

from edgenn.errors import UnsupportedError
from edgenn.frontend import capture
from edgenn.frontend.keras_import import keras
from edgenn.frontend.keras_operations import OPERATIONS
from edgenn.frontend.registry import HANDLERS

ops = keras.ops
RNG = np.random.default_rng(3)
VECTOR = RNG.normal(size=4).astype(np.float32)
MATRIX = RNG.normal(size=(4, 5)).astype(np.float32)
KERNEL = RNG.normal(size=(3, 3, 4, 2)).astype(np.float32)
KERNEL_1D = RNG.normal(size=(3, 4, 2)).astype(np.float32)
POINTWISE = RNG.normal(size=(1, 1, 8, 3)).astype(np.float32)
POSITIVE = RNG.uniform(0.5, 1.5, 4).astype(np.float32)
ONES = np.ones((1, 3, 5, 4), np.float32)
MASK = np.array([[True, False, True], [True, True, True], [False, True, True]])

Function = Callable[..., Any]

UNARY_NAMES = """
abs absolute ceil celu convert_to_tensor copy cos cosh elu exp exp2 expm1 floor gelu hard_shrink
hard_sigmoid hard_silu hard_tanh isfinite isinf isnan leaky_relu log_sigmoid log_softmax logical_not
negative ones_like relu relu6 round selu sigmoid sign silu sin sinh soft_shrink softmax softplus
softsign sparse_plus sparse_sigmoid square squareplus stop_gradient tan tanh tanh_shrink trunc
zeros_like
"""
UNARY: dict[str, Function] = {
    **{name: getattr(ops, name) for name in UNARY_NAMES.split()},
    "threshold": lambda x: ops.threshold(x, 0.2, -1.0),
    "glu": lambda x: ops.glu(x, axis=-1),
    "softmax_axis": lambda x: ops.softmax(x, axis=1),
    "gelu_exact": lambda x: ops.gelu(x, approximate=False),
    "elu_alpha": lambda x: ops.elu(x, alpha=0.4),
    "celu_alpha": lambda x: ops.celu(x, alpha=0.4),
    "relu_full": lambda x: keras.activations.relu(x, 0.1, 1.0, 0.3),
    "round_decimals": lambda x: ops.round(x, 1),
    "clip": lambda x: ops.clip(x, -0.5, 0.7),
    "clip_relu6": lambda x: ops.clip(x, 0, 6),
    "power_2": lambda x: x**2,
    "power_3": lambda x: x**3,
    "rpower": lambda x: 2.0**x,
    "cast_int": lambda x: ops.cast(x * 3, "int32"),
    "cast_bool": lambda x: ops.cast(ops.floor(x), "bool"),
    "saturate_cast": lambda x: ops.saturate_cast(x * 200, "uint8"),
}
POSITIVE_UNARY: dict[str, Function] = {
    **{
        name: getattr(ops, name)
        for name in ["log", "log10", "log1p", "log2", "reciprocal", "rsqrt", "sqrt"]
    },
    "power_half": lambda x: x**0.5,
    "power_any": lambda x: ops.power(x, 1.7),
    "power_negative": lambda x: x**-1,
}
SCALARS: dict[str, Function] = {
    "add": lambda x: x + 2,
    "subtract": lambda x: 1.5 - x,
    "multiply": lambda x: x * VECTOR,
    "divide": lambda x: x / 3,
    "divide_array": lambda x: x / (np.abs(VECTOR) + 1),
    "rdivide": lambda x: 2 / (x + 10),
    "floordiv": lambda x: x // 0.3,
    "mod": lambda x: ops.mod(x, 0.7),
    "compare": lambda x: ops.cast(x > 0.1, "float32"),
    "equal": lambda x: ops.equal(ops.floor(x), 0),
    "bool_arithmetic": lambda x: ops.logical_and(x > -1, ops.logical_or(x < 0, x >= 1)),
    "xor": lambda x: ops.logical_xor(x > -1, x < 1),
    "where": lambda x: ops.where(x > 0, x, -1.0),
    "where_scalars": lambda x: ops.where(x <= 0, 1.0, VECTOR),
    "integer_division": lambda x: ops.cast(x * 9, "int32") / 2,
    "integer_mean": lambda x: ops.mean(ops.cast(x * 9, "int32"), axis=1),
}
REDUCTIONS: dict[str, Function] = {
    **{
        f"{name}_{axis}_{keep}": lambda x, name=name, axis=axis, keep=keep: getattr(ops, name)(
            x, axis=axis, keepdims=keep
        )
        for name in ("mean", "max", "min", "sum", "prod", "var", "std", "logsumexp", "amax", "amin")
        for axis, keep in ((1, False), ((1, -1), True), (-1, True))
    },
    "argmax": lambda x: ops.argmax(x, axis=-1),
    "argmin": lambda x: ops.argmin(x, axis=1, keepdims=True),
    "any": lambda x: ops.any(x > 1, axis=-1),
    "all": lambda x: ops.all(x > -1, axis=(1, 2)),
    "count_nonzero": lambda x: ops.count_nonzero(ops.relu(x), axis=1),
    "average": lambda x: ops.average(x, axis=1),
    "moments": lambda x: ops.moments(x, axes=[1, 2], keepdims=True)[1],
    "moments_mean": lambda x: ops.moments(x, axes=[1, 2])[0],
    "norm": lambda x: ops.norm(x, axis=-1),
    "norm_1": lambda x: ops.norm(x, ord=1, axis=1, keepdims=True),
    "cumsum": lambda x: ops.cumsum(x, axis=1),
}
SHAPES: dict[str, Function] = {
    "reshape": lambda x: ops.reshape(x, (-1, 12, 5, 1)),
    "transpose": lambda x: ops.transpose(x, (0, 3, 1, 2)),
    "swapaxes": lambda x: ops.swapaxes(x, 1, -1),
    "moveaxis": lambda x: ops.moveaxis(x, -1, 1),
    "moveaxes": lambda x: ops.moveaxis(x, (1, 2), (-1, 1)),
    "expand_dims": lambda x: ops.expand_dims(x, -2),
    "expand_dims_two": lambda x: ops.expand_dims(x, (1, -1)),
    "squeeze": lambda x: ops.squeeze(ops.expand_dims(x, 1), 1),
    "concatenate": lambda x: ops.concatenate([x, x * 2], axis=-1),
    "concatenate_constant": lambda x: ops.concatenate(
        [x[:1, :], np.ones((1, 3, 5, 4), "f")], axis=2
    ),
    "hstack": lambda x: ops.hstack([x, x]),
    "append": lambda x: ops.append(x, x, axis=2),
    "stack": lambda x: ops.stack([x, x + 1], axis=1),
    "stack_last": lambda x: ops.stack([x, x + 1], axis=-1),
    "split": lambda x: ops.split(x, 2, axis=-1)[1],
    "split_at": lambda x: ops.split(x, [1, 3], axis=2)[1],
    "unstack": lambda x: ops.unstack(x, axis=1)[2],
    "slice": lambda x: ops.slice(x, [0, 1, 2, 0], [1, 2, 2, 4]),
    "item": lambda x: x[:, 1],
    "item_negative": lambda x: x[:, -1, ..., 0],
    "item_last": lambda x: x[..., -1],
    "item_slices": lambda x: x[:, ::2, 1:-1, ::-1],
    "item_new_axis": lambda x: x[:, None, 0, :, None],
    "take": lambda x: ops.take(x, [2, 0, -1], axis=1),
    "take_scalar": lambda x: ops.take(x, 1, axis=2),
    "pad": lambda x: ops.pad(x, ((0, 0), (1, 2), (0, 1), (0, 0))),
    "pad_value": lambda x: ops.pad(x, ((0, 0), (1, 2), (0, 1), (0, 0)), constant_values=1.5),
    "pad_reflect": lambda x: ops.pad(x, ((0, 0), (1, 2), (0, 1), (0, 0)), mode="reflect"),
    "pad_symmetric": lambda x: ops.pad(x, ((0, 0), (1, 2), (0, 1), (0, 0)), mode="symmetric"),
    "tile": lambda x: ops.tile(x, (1, 2, 1, 3)),
    "repeat": lambda x: ops.repeat(x, 3, axis=2),
    "repeat_counts": lambda x: ops.repeat(x, [1, 0, 2], axis=1),
    "broadcast_to": lambda x: ops.broadcast_to(x[:1, :, :1], (2, 3, 5, 4)),
    "flip": lambda x: ops.flip(x, axis=1),
    "roll": lambda x: ops.roll(x, 2, axis=2),
    "tril": lambda x: ops.tril(x),
    "triu": lambda x: ops.triu(x, k=1),
    "ravel": ops.ravel,
    "one_hot": lambda x: ops.one_hot(ops.argmax(x, -1), 4),
    "one_hot_axis": lambda x: ops.one_hot(ops.argmax(x, -1), 4, axis=1),
    "rgb_to_grayscale": lambda x: ops.image.rgb_to_grayscale(x[..., :3]),
    "image_resize": lambda x: ops.image.resize(x, (6, 7)),
    "image_resize_nearest": lambda x: ops.image.resize(x, (2, 7), interpolation="nearest"),
}
PRODUCTS: dict[str, Function] = {
    "matmul": lambda x: ops.matmul(x, MATRIX),
    "matmul_left": lambda x: ops.matmul(MATRIX.T, ops.swapaxes(x, 2, 3)),
    "matmul_vector": lambda x: ops.matmul(x, VECTOR),
    "matmul_tensors": lambda x: x @ ops.swapaxes(x, -1, -2),
    "einsum": lambda x: ops.einsum("bijc,cd->bjid", x, MATRIX),
    "einsum_tensors": lambda x: ops.einsum("bijc,bikc->bikj", x, x + 1),
    "einsum_sum": lambda x: ops.einsum("bijc,bkl->bc", x, x[..., 0]),
    "einsum_one": lambda x: ops.einsum("bijc->cb", x),
    "einsum_ellipsis": lambda x: ops.einsum("...c,cd->...d", x, MATRIX),
    "einsum_elementwise": lambda x: ops.einsum("bijc,bijc->bij", x, x),
    "dot": lambda x: ops.dot(x, MATRIX),
    "tensordot": lambda x: ops.tensordot(x, MATRIX, axes=1),
    "tensordot_axes": lambda x: ops.tensordot(x, MATRIX, axes=[[3], [0]]),
    "conv": lambda x: ops.conv(x, KERNEL, strides=2, padding="same"),
    "conv_1d": lambda x: ops.conv(x[:, 0], KERNEL_1D),
    "depthwise_conv": lambda x: ops.depthwise_conv(x, KERNEL, padding="same"),
    "separable_conv": lambda x: ops.separable_conv(x, KERNEL, POINTWISE, padding="same"),
    "max_pool": lambda x: ops.max_pool(x, 2),
    "average_pool": lambda x: ops.average_pool(x, (2, 3), strides=1, padding="same"),
    "batch_normalization": lambda x: ops.batch_normalization(
        x, VECTOR, POSITIVE, axis=-1, offset=VECTOR, scale=POSITIVE
    ),
    "normalize": lambda x: ops.normalize(x, axis=-1),
    "layer_normalization": lambda x: ops.layer_normalization(x, POSITIVE, VECTOR, axis=-1),
    "rms_normalization": lambda x: ops.rms_normalization(x, POSITIVE, axis=-1),
    "attention": lambda x: ops.dot_product_attention(x, x + 1, x * 2),
    "attention_causal": lambda x: ops.dot_product_attention(x, x, x, is_causal=True),
    "attention_mask": lambda x: ops.dot_product_attention(x, x, x, mask=MASK, scale=0.3),
    "attention_groups": lambda x: ops.dot_product_attention(
        x[:, :, :4], x[:, :, :2], x[:, :, 2:4], bias=np.ones((1, 4, 3, 3), "f")
    ),
}


def function_model(function: Function, shape: tuple[int, ...] = (3, 5, 4)) -> Any:
    x = keras.Input(shape, name="x")
    return keras.Model(x, function(x))


ONE_INPUT = {**UNARY, **SCALARS, **REDUCTIONS, **SHAPES, **PRODUCTS}


@pytest.mark.parametrize("name", ONE_INPUT)
def test_operation(name: str) -> None:
    batch = 1 if name in ("concatenate_constant", "broadcast_to", "slice") else None
    assert_captured(function_model(ONE_INPUT[name]), batch=batch)


@pytest.mark.parametrize("name", POSITIVE_UNARY)
def test_operation_on_positive_numbers(name: str) -> None:
    x = np.random.default_rng(0).uniform(0.1, 5, (2, 3, 4)).astype(np.float32)
    assert_captured(function_model(POSITIVE_UNARY[name], (3, 4)), inputs=[x])


BINARY_NAMES = """
add divide equal greater greater_equal less less_equal logaddexp matmul maximum minimum multiply
not_equal subtract
"""


@pytest.mark.parametrize("name", BINARY_NAMES.split())
def test_binary_operation(name: str) -> None:
    a, b = keras.Input((3, 3), name="a"), keras.Input((3, 3), name="b")
    assert_captured(keras.Model([a, b], getattr(ops, name)(a, b)))


def test_integers_are_promoted_as_keras_does() -> None:
    a, b = keras.Input((3,), name="a"), keras.Input((3,), dtype="int32", name="b")
    assert_captured(keras.Model([a, b], [a + b, b * 2, b > 1.5, b + 0.5]))


def test_gather_with_computed_indices() -> None:
    indices = keras.Input((3,), dtype="int32", name="indices")
    assert_captured(keras.Model(indices, ops.take(np.vstack([MATRIX, MATRIX]), indices, axis=0)))


def test_full_reductions_of_a_fixed_batch() -> None:
    model = function_model(lambda x: [ops.mean(x), ops.sum(x), ops.argmax(x), ops.max(x)])
    assert_captured(model, batch=2)


def test_operation_without_handler_names_itself() -> None:
    model = function_model(lambda x: ops.arctan(x))
    with pytest.raises(UnsupportedError, match="operation Arctan is not supported"):
        capture(model)


def test_every_registered_operation_exists() -> None:
    """Names in the handlers' tables that this Keras does not know would be dropped silently."""
    registered = {class_ for class_ in HANDLERS if class_ in OPERATIONS.values()}
    assert len(registered) == 150
