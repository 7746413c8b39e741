"""uint8 activations, which files of older converters have. Witness: LiteRT's reference kernels."""

import numpy as np
import pytest
from support.litert import run
from support.one_op import one_op, random_inputs

from edgenn.errors import UnsupportedError
from edgenn.ir.evaluator import evaluate
from edgenn.ir.operator import Activation
from edgenn.ir.ops import Conv2D, DepthwiseConv2D, FullyConnected, Tanh
from edgenn.ir.tensor import Quantization, Tensor

X, OUTPUT = Quantization.per_tensor(0.02, 117), Quantization.per_tensor(0.09, 120)


@pytest.mark.parametrize(("operator", "shape", "kernel"), [
    (Conv2D(activation=Activation.RELU6), (None, 9, 8, 4), (6, 3, 3, 4)),
    (DepthwiseConv2D(), (None, 9, 8, 4), (1, 3, 3, 4)),
    (FullyConnected(), (None, 20), (6, 20)),
])  # fmt: skip
@pytest.mark.parametrize("seed", range(4))
def test_products_equal_litert(operator, shape, kernel, seed):
    rng = np.random.default_rng(seed)
    scale = Quantization.per_tensor(rng.uniform(0.01, 0.05), int(rng.integers(100, 150)))
    weights = Tensor.constant("w", rng.integers(0, 256, kernel).astype(np.uint8), scale)
    channels = kernel[operator.weight_axes[1]]
    products = Quantization.per_tensor(X.scale[0] * scale.scale[0])
    bias = Tensor.constant("b", rng.integers(-999, 999, channels).astype(np.int32), products)
    graph = one_op(operator, [Tensor("x", shape, "uint8", X), weights, bias], [OUTPUT])
    inputs = random_inputs(graph, rng, batch=20)
    mine, theirs = evaluate(graph, inputs)["y0"], run(graph, inputs)["y0"]
    assert theirs.dtype == np.uint8 and len(np.unique(theirs)) > 20
    np.testing.assert_array_equal(mine, theirs)


def test_what_has_no_evaluation_in_uint8_says_so():
    graph = one_op(Tanh(), [Tensor("x", (2, 3), "uint8", X)], [OUTPUT])
    with pytest.raises(UnsupportedError, match="op: tanh has no evaluation in uint8"):
        evaluate(graph, {"x": np.zeros((2, 3), np.uint8)})
