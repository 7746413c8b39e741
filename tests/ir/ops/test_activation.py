"""Activation functions against LiteRT's kernels and Keras, in float and in integers."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import OpResolverType
from hypothesis import given
from support.litert import REFERENCE, run
from support.one_op import assert_equals_litert
from support.quantized_op import quantized_case
from support.shapes import few, generators, shapes

from edgenn.ir.evaluator import evaluate
from edgenn.ir.operator import Operator
from edgenn.ir.ops import (
    Elu,
    Gelu,
    HardSwish,
    LeakyRelu,
    Logistic,
    LogSoftmax,
    Prelu,
    Relu,
    Relu6,
    ReluN1To1,
    Tanh,
)
from edgenn.ir.tensor import Quantization

EXACT = [
    Relu(), Relu6(), ReluN1To1(), LeakyRelu(), LeakyRelu(alpha=-0.3), LeakyRelu(alpha=1.7), Elu(),
    Logistic(), Tanh(), HardSwish(), LogSoftmax(),
]  # fmt: skip
GELU = [Gelu(), Gelu(approximate=True)]


def resolver(operator: Operator) -> OpResolverType:
    """LiteRT lists no reference kernel of ELU."""
    if isinstance(operator, Elu):
        return OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    return REFERENCE


@pytest.mark.parametrize("operator", [*EXACT, *GELU], ids=str)
@few
@given(shape=shapes(1, 5), rng=generators)
def test_float_equals_litert(operator: Operator, shape: tuple, rng: np.random.Generator):
    case = quantized_case(operator, [shape], ["float32"], rng)
    assert_equals_litert(*case, resolver(operator), tolerance=1e-6)


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("operator", EXACT, ids=str)
@few
@given(rng=generators)
def test_integer_equals_litert(operator: Operator, dtype: str, rng: np.random.Generator):
    if dtype not in operator.integer_dtypes:
        pytest.skip(f"LiteRT has no {dtype} kernel")
    case = quantized_case(operator, [(20, 30)], [dtype], rng)
    assert_equals_litert(*case, resolver(operator))


@pytest.mark.parametrize("power", [11, 12, 15])
@pytest.mark.parametrize("operator", [Logistic(), Tanh()], ids=str)
def test_int16_at_scales_that_are_powers_of_two(operator: Operator, power: int):
    graph, inputs = quantized_case(operator, [(900,)], ["int16"], np.random.default_rng(power))
    x = graph.tensors["x0"].with_(quantization=Quantization.per_tensor(2.0**-power))
    assert_equals_litert(graph.with_(tensors={**graph.tensors, "x0": x}), inputs)


@pytest.mark.parametrize("operator", GELU, ids=str)
@few
@given(rng=generators)
def test_gelu_int8_equals_litert(operator: Operator, rng: np.random.Generator):
    assert_equals_litert(*quantized_case(operator, [(20, 30)], ["int8"], rng))


@pytest.mark.parametrize("operator", GELU, ids=str)
@few
@given(rng=generators)
def test_gelu_int16_equals_litert_but_for_its_libm(operator: Operator, rng: np.random.Generator):
    # LiteRT's table holds the last-bit errors of the C library's erfcf and tanhf
    graph, inputs = quantized_case(operator, [(900,)], ["int16"], rng)
    ours = evaluate(graph, inputs)["y0"].astype(int)
    theirs = run(graph, inputs)["y0"].astype(int)
    assert np.abs(ours - theirs).max() <= 1
    assert np.mean(ours != theirs) < 0.05


@pytest.mark.parametrize("dtype", ["float32", "int8"])
@pytest.mark.parametrize("slopes", [(5,), (1, 4, 5), (3, 1, 5)])
@few
@given(rng=generators)
def test_prelu_equals_litert(dtype: str, slopes: tuple, rng: np.random.Generator):
    case = quantized_case(Prelu(), [(2, 3, 4, 5), slopes], [dtype] * 2, rng, constant=1)
    assert_equals_litert(*case, tolerance=1e-6)


@pytest.mark.parametrize("values", [1, 2, 1000])
def test_log_softmax_of_any_length(values: int):
    rng = np.random.default_rng(values)
    assert_equals_litert(*quantized_case(LogSoftmax(), [(7, values)], ["int8"], rng))


@pytest.mark.parametrize("scale", [0.05, 0.2, 1.0, 3.0, 40.0])
def test_log_softmax_of_values_far_apart(scale: float):
    graph, inputs = quantized_case(LogSoftmax(), [(50, 20)], ["int8"], np.random.default_rng(0))
    x = graph.tensors["x0"].with_(quantization=Quantization.per_tensor(scale, 3))
    assert_equals_litert(graph.with_(tensors={**graph.tensors, "x0": x}), inputs)


@pytest.mark.parametrize("scale", [0.002, 0.02, 0.2, 2.0, 20.0])
@pytest.mark.parametrize("operator", [Logistic(), Tanh()], ids=str)
def test_int16_far_into_saturation(operator: Operator, scale: float):
    graph, inputs = quantized_case(operator, [(900,)], ["int16"], np.random.default_rng(0))
    x = graph.tensors["x0"].with_(quantization=Quantization.per_tensor(scale))
    assert_equals_litert(graph.with_(tensors={**graph.tensors, "x0": x}), inputs)


@pytest.mark.parametrize(
    ("operator", "name"),
    [
        (Relu6(), "relu6"),
        (LeakyRelu(alpha=0.3), "leaky_relu"),
        (Elu(), "elu"),
        (Logistic(), "sigmoid"),
        (Tanh(), "tanh"),
        (HardSwish(), "hard_silu"),
        (Gelu(), "gelu"),
        (LogSoftmax(), "log_softmax"),
    ],
)
def test_float_equals_keras(operator: Operator, name: str):
    import keras

    options = {"leaky_relu": {"negative_slope": 0.3}, "gelu": {"approximate": False}}
    x = np.random.default_rng(0).normal(0, 4, (50, 20)).astype(np.float32)
    theirs = keras.ops.convert_to_numpy(getattr(keras.ops, name)(x, **options.get(name, {})))
    (ours,) = operator.evaluate([x])
    np.testing.assert_allclose(ours, theirs, rtol=2e-6, atol=1e-6)
