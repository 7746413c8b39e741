"""Float activations with small weights: the float16 and the dynamic scheme in LiteRT."""

import numpy as np
import pytest
from support.litert import DEFAULT, REFERENCE, run
from support.one_op import one_op, random_inputs

from edgenn.errors import UnsupportedError
from edgenn.export.tflite.exporter import to_tflite
from edgenn.ir import ops
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.evaluator import evaluate
from edgenn.ir.operator import Activation, Operator, Padding
from edgenn.ir.tensor import Array, Quantization, Shape, Tensor

HEAVY: dict[str, tuple[Operator, Shape, Shape]] = {
    "conv": (
        ops.Conv2D(padding=Padding.SAME, activation=Activation.RELU),
        (None, 8, 8, 4),
        (16, 3, 3, 4),
    ),
    "pointwise": (ops.Conv2D(), (None, 8, 8, 4), (16, 1, 1, 4)),
    "strided and dilated": (ops.Conv2D(strides=(2, 1)), (None, 9, 8, 4), (16, 3, 2, 4)),
    "grouped": (ops.Conv2D(groups=2), (None, 8, 8, 4), (16, 3, 3, 2)),
    "depthwise": (ops.DepthwiseConv2D(padding=Padding.SAME), (None, 8, 8, 4), (1, 3, 3, 4)),
    "depthwise ×2": (ops.DepthwiseConv2D(dilations=(2, 2)), (None, 8, 8, 4), (1, 3, 3, 8)),
    "dense": (ops.FullyConnected(activation=Activation.RELU6), (None, 32), (20, 32)),
    "dense, one unit": (ops.FullyConnected(), (None, 32), (1, 32)),
    "dense, rank 3": (ops.FullyConnected(), (None, 5, 32), (20, 32)),
    "transposed": (ops.TransposeConv2D(output_size=(10, 10)), (None, 8, 8, 4), (16, 3, 3, 4)),
}
RESOLVERS = pytest.mark.parametrize("resolver", [REFERENCE, DEFAULT], ids=["reference", "default"])
BIASES = pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])


def quantized(weights: Array, axis: int) -> Tensor:
    """int8 weights, symmetric, one scale a channel."""
    others = tuple(i for i in range(weights.ndim) if i != axis)
    scales = (np.abs(weights).max(axis=others) / 127).astype(np.float32)
    quantization = Quantization.per_channel(scales, axis)
    return Tensor.constant("w", quantization.quantize(weights, "int8"), quantization)


@RESOLVERS
@BIASES
@pytest.mark.parametrize("case", HEAVY)
def test_dynamic_weights(case, bias, resolver):
    """Hybrid kernels quantise their input to 8 bits: within 1 % of the output's range."""
    operator, shape, kernel = HEAVY[case]
    rng = np.random.default_rng(0)
    axis = operator.weight_axes[1]
    operands = [Tensor("x", shape), quantized(rng.standard_normal(kernel), axis)]
    if bias:
        values = rng.standard_normal(kernel[axis]).astype(np.float32)
        operands.append(Tensor.constant("b", values))
    graph = one_op(operator, operands, [None])
    inputs = random_inputs(graph, rng)
    ours, theirs = evaluate(graph, inputs)["y0"], run(graph, inputs, resolver)["y0"]
    assert ours.shape == theirs.shape
    reach = np.abs(inputs["x"]).max() * np.abs(operands[1].real()).sum() / kernel[axis]
    assert np.abs(ours - theirs).max() < 0.01 * reach


@RESOLVERS
@BIASES
@pytest.mark.parametrize("case", HEAVY)
def test_float16_weights(case, bias, resolver):
    operator, shape, kernel = HEAVY[case]
    rng = np.random.default_rng(0)
    builder = GraphBuilder("float16")
    names = [builder.input("x", shape)]
    channels = kernel[operator.weight_axes[1]]
    for name, size in {"w": kernel, "b": (channels,)}.items():
        if name == "w" or bias:
            half = builder.constant(name, rng.standard_normal(size).astype(np.float16))
            names.append(builder.add(ops.Dequantize(), [half], f"{name}/float32"))
    graph = builder.finish({"y": builder.add(operator, names, "y")})
    inputs = random_inputs(graph, rng)
    ours, theirs = evaluate(graph, inputs)["y"], run(graph, inputs, resolver)["y"]
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("case", ["grouped", "depthwise"])
def test_dynamic_weights_of_one_scale_are_refused(case):
    """LiteRT's hybrid depthwise kernel would read scales beyond the only one."""
    operator, shape, kernel = HEAVY[case]
    weights = Tensor.constant("w", np.ones(kernel, np.int8), Quantization.per_tensor(0.1))
    graph = one_op(operator, [Tensor("x", shape), weights], [None])
    with pytest.raises(UnsupportedError, match="per channel"):
        to_tflite(graph)
