import numpy as np
import pytest

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph
from edgenn.ir.operator import Operator
from edgenn.ir.ops import Conv2D, DepthwiseConv2D, FullyConnected
from edgenn.quantization.bias_correction import correct_bias, weighted_inputs
from edgenn.quantization.parameters import quantize_weights, weight_scales

CASES = [
    (Conv2D(), (8, 1, 1, 6), (None, 4, 4, 6)),
    (Conv2D(groups=2), (8, 1, 1, 3), (None, 4, 4, 6)),
    (DepthwiseConv2D(), (1, 3, 3, 12), (None, 3, 3, 6)),
    (FullyConnected(), (8, 6), (None, 6)),
]


def one_op(
    operator: Operator, shape: tuple[int, ...], input_shape: tuple[int | None, ...]
) -> Graph:
    builder = GraphBuilder("m")
    rng = np.random.default_rng(1)
    # coarse steps in each channel, so that rounding moves the mean visibly
    weights = rng.normal(size=shape).astype(np.float32)
    weights.reshape(-1)[0] = 40
    x = builder.input("x", input_shape)
    return builder.finish({"y": builder.add(operator, [x, builder.constant("w", weights)], "y")})


@pytest.mark.parametrize(("operator", "shape", "input_shape"), CASES)
def test_the_mean_output_with_rounded_weights_is_the_float_mean(
    operator: Operator, shape: tuple[int, ...], input_shape: tuple[int | None, ...]
) -> None:
    graph = one_op(operator, shape, input_shape)
    rng = np.random.default_rng(2)
    # constant over the image: the mean the correction assumes is then exact
    channels = rng.normal(3, 1, size=(50, *[1] * (len(input_shape) - 2), input_shape[-1]))
    x = np.broadcast_to(channels, (50, *input_shape[1:])).astype(np.float32)
    assert weighted_inputs(graph) == {"x"}
    corrected = correct_bias(graph, {"x": x.reshape(-1, x.shape[-1]).mean(axis=0)})

    def mean_output(graph: Graph, *, rounded: bool) -> np.ndarray:
        if rounded:
            weights = graph.tensors["w"].data
            (axis,) = operator.weight_axes.values()
            scales = weight_scales(weights, axis, None, 1.0)
            along = [1] * weights.ndim
            along[axis] = -1
            data = quantize_weights(weights, scales, axis) * scales.reshape(along)
            tensors = {**graph.tensors, "w": graph.tensors["w"].with_(data=data)}
            graph = graph.with_(tensors=tensors)
        y = evaluate(graph, {"x": x})["y"]
        return y.reshape(-1, y.shape[-1]).mean(axis=0)

    wanted = mean_output(graph, rounded=False)
    shifted = np.abs(mean_output(graph, rounded=True) - wanted).max()
    left = np.abs(mean_output(corrected, rounded=True) - wanted).max()
    assert shifted > 1e-3
    assert left < 0.01 * shifted
