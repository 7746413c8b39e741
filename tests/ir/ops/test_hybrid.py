"""Real activations and int8 weights: the integers of LiteRT's reference kernels."""

import numpy as np
import pytest
from support.litert import run
from support.one_op import one_op

from edgenn.ir.evaluator import evaluate
from edgenn.ir.operator import InputRounding, Operator
from edgenn.ir.ops import Conv2D, DepthwiseConv2D, FullyConnected, TransposeConv2D
from edgenn.ir.ops.hybrid import rounded
from edgenn.ir.tensor import Array, Quantization, Tensor

ROUNDINGS = [InputRounding.SYMMETRIC, InputRounding.ASYMMETRIC]
ASYMMETRIC = {"input_rounding": InputRounding.ASYMMETRIC}


def on_a_grid(rng: np.random.Generator, *shape: int) -> Array:
    """Numbers that lie on a grid of their own, so that many are halfway between two steps."""
    whole = rng.integers(-128, 128, shape) // rng.integers(1, 16, (shape[0], *[1] * len(shape[1:])))
    return ((whole + 11) * np.float32(0.037)).astype(np.float32)


def int8_weights(rng: np.random.Generator, shape, axis: int, scales: int) -> Tensor:
    values = rng.uniform(0.01, 0.02, scales).astype(np.float32)
    quantization = (
        Quantization.per_tensor(values[0])
        if scales == 1
        else Quantization(values, np.zeros(scales, np.int64), axis)
    )
    return Tensor.constant("w", rng.integers(-127, 128, shape).astype(np.int8), quantization)


def outputs(operator: Operator, x: Array, *others: Tensor) -> tuple[Array, Array]:
    """NumPy's and LiteRT's."""
    graph = one_op(operator, [Tensor("x", (None, *x.shape[1:])), *others], [None])
    return evaluate(graph, {"x": x})["y0"], run(graph, {"x": x})["y0"]


@pytest.mark.parametrize("scales", [1, 24])
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_dense_layers_equal_litert(rounding, scales):
    rng = np.random.default_rng(0)
    x = on_a_grid(rng, 500, 40)
    x[0], x[1], x[2] = 0, np.abs(x[1]), -np.abs(x[2])
    bias = Tensor.constant("b", rng.normal(size=24).astype(np.float32))
    operator = FullyConnected(input_rounding=rounding)
    for others in ([], [bias]):
        weights = int8_weights(rng, (24, 40), 0, scales)
        mine, theirs = outputs(operator, x, weights, *others)
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(("operator", "shape", "axis", "tolerance"), [
    (Conv2D(**ASYMMETRIC), (6, 3, 3, 4), 0, 0),
    (Conv2D(**ASYMMETRIC, groups=2), (6, 3, 3, 2), 0, 0),
    (Conv2D(input_rounding=InputRounding.SYMMETRIC), (1, 3, 3, 4), 0, 1e-6),
    (DepthwiseConv2D(**ASYMMETRIC), (1, 3, 3, 8), 3, 1e-6),
    (TransposeConv2D(**ASYMMETRIC, output_size=(8, 9)), (6, 3, 3, 4), 0, 1e-6),
])  # fmt: skip
def test_convolutions_equal_litert(operator, shape, axis, tolerance):
    rng = np.random.default_rng(1)
    x = on_a_grid(rng, 40, 6, 7, 4)
    mine, theirs = outputs(operator, x, int8_weights(rng, shape, axis, shape[axis]))
    np.testing.assert_allclose(mine, theirs, rtol=0, atol=tolerance * np.abs(theirs).max())


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_no_value_is_farther_than_half_a_step(rounding):
    x = np.random.default_rng(2).normal(size=(200, 30)).astype(np.float32)
    rows = rounded(x, rounding)
    error = np.abs(rows.steps * rows.scales - x) / rows.scales
    edge = 1 if rounding is InputRounding.ASYMMETRIC else 0.5  # the zero point is rounded, too
    assert error.max() <= edge + 1e-4
    assert np.quantile(error, 0.95) <= 0.5


def test_it_differs_from_the_product_of_real_numbers():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(4, 40)).astype(np.float32)
    weights = int8_weights(rng, (24, 40), 0, 24)
    exact = x @ weights.real().T
    mine, _ = outputs(FullyConnected(**ASYMMETRIC), x, weights)
    assert 1e-4 < np.abs(mine - exact).max() / np.abs(exact).max() < 0.02
