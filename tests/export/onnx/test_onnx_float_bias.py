"""Float layers between integers: ONNX Runtime must not round their weights by itself."""

import numpy as np
import onnx
import pytest
from support.onnx_files import checked, kinds, session

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.ops import (
    Conv2D,
    DepthwiseConv2D,
    Dequantize,
    FullyConnected,
    Quantize,
    TransposeConv2D,
)
from edgenn.ir.tensor import Quantization

GRID = Quantization.per_tensor(1 / 64, 0)
FINE = 0.003
"""Weights that vanish beside a weight of 40 where both share 8 bits."""


def island(operator, x_shape, kernel, bias):
    """int8 → float op → int8; all that the kernel adds up to is in its small weights."""
    builder = GraphBuilder("net")
    x = builder.input("x", x_shape, "int8")
    builder.tensors[x] = builder.tensors[x].with_(quantization=GRID)
    real = builder.add(Dequantize(), [x], "real")
    inputs = [real, builder.constant("kernel", kernel)]
    if bias is not None:
        inputs.append(builder.constant("bias", bias))
    y = builder.add(operator, inputs, "y/float")
    out = builder.add(Quantize("int8"), [y], "y")
    builder.tensors[out] = builder.tensors[out].with_(quantization=GRID)
    return builder.finish({"y": out})


def kernel_of(shape, axis, outputs):
    """Small weights, and ±40 for two inputs that are equal."""
    kernel = np.full(shape, FINE, np.float32)
    moved = np.moveaxis(kernel, axis, -1)
    moved[..., 0], moved[..., 1] = 40, -40
    return kernel


CASES = {
    "dense": (FullyConnected(), (None, 64), kernel_of((3, 64), 1, 3)),
    "dense of rows": (FullyConnected(), (None, 4, 64), kernel_of((3, 64), 1, 3)),
    "convolution": (Conv2D(), (None, 4, 4, 64), kernel_of((3, 1, 1, 64), 3, 3)),
    "transposed": (
        TransposeConv2D(output_size=(4, 4)),
        (None, 4, 4, 64),
        kernel_of((3, 1, 1, 64), 3, 3),
    ),
}


@pytest.mark.parametrize("bias", [None, np.array([0.5, -0.25, 0.1], np.float32)], ids=["", "bias"])
@pytest.mark.parametrize("case", CASES)
def test_weights_stay_in_float(case, bias):
    operator, shape, kernel = CASES[case]
    graph = island(operator, shape, kernel, bias)
    engine = session(checked(graph))
    (y,) = engine.run(None, {"x": np.ones((2, *shape[1:]), np.float32)})
    expected = 62 * FINE + (0 if bias is None else bias)
    np.testing.assert_allclose(y, np.broadcast_to(expected, y.shape), atol=0.51 / 64)


def test_a_bias_keeps_its_digits():
    bias = np.array([1000, 1e-3, -3.25], np.float32)
    model = onnx.load_from_string(checked(island(*CASES["convolution"], bias)))
    (steps,) = [t for t in model.graph.initializer if t.data_type == onnx.TensorProto.INT32]
    (node,) = [n for n in model.graph.node if steps.name in n.input]
    (scale,) = [t for t in model.graph.initializer if t.name == node.input[1]]
    real = onnx.numpy_helper.to_array(steps) * onnx.numpy_helper.to_array(scale)
    np.testing.assert_allclose(real, bias, rtol=0, atol=1e-6)


def test_float_files_have_no_such_bias():
    builder = GraphBuilder("net")
    x = builder.input("x", (None, 4))
    weights = [builder.constant("w", np.ones((3, 4), np.float32))]
    weights.append(builder.constant("b", np.ones(3, np.float32)))
    y = builder.add(FullyConnected(), [x, *weights], "y")
    assert dict(kinds(checked(builder.finish({"y": y})))) == {"Gemm": 1}


def test_weights_of_depthwise_convolutions_stay_in_float():
    kernel = np.full((1, 8, 8, 2), FINE, np.float32)
    kernel[0, 0, 0], kernel[0, 0, 1] = 40, -40
    engine = session(checked(island(DepthwiseConv2D(), (None, 8, 8, 2), kernel, None)))
    (y,) = engine.run(None, {"x": np.ones((1, 8, 8, 2), np.float32)})
    np.testing.assert_allclose(y, np.full((1, 1, 1, 2), 62 * FINE), atol=0.51 / 64)
