"""Channels-last outside, channels-first inside: where transposes stand, and what they cost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.one_op import random_inputs
from support.onnx_files import assert_equals_onnxruntime, checked, kinds

from edgenn.export.onnx.exporter import to_onnx
from edgenn.ir import ops
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph
from edgenn.ir.operator import Activation, Padding

RNG = np.random.default_rng(0)
RELU = Activation.RELU
SAME = Padding.SAME


class Net(GraphBuilder):
    """A graph of random weights that grows at its end."""

    def __init__(self, *shape: int | None) -> None:
        super().__init__("net")
        self.rng = np.random.default_rng(0)
        self.end = self.input("x", shape)

    def weights(self, *shape: int) -> str:
        return self.constant("c", (self.rng.standard_normal(shape) / 3).astype(np.float32))

    def then(self, operator, *others: str) -> str:
        self.end = self.add(operator, [self.end, *others], "y")
        return self.end

    @property
    def channels(self) -> int:
        return self.tensor(self.end).shape[-1] or 1

    def conv(self, filters: int, size: int = 3, **how) -> str:
        kernel = self.weights(filters, size, size, self.channels)
        return self.then(ops.Conv2D(padding=SAME, **how), kernel, self.weights(filters))

    def dense(self, units: int) -> str:
        return self.then(ops.FullyConnected(), self.weights(units, self.channels))

    def graph(self) -> Graph:
        return self.finish({"y_out": self.end})


def transposes(graph: Graph) -> int:
    """How many the file has, once its results are known to be right."""
    assert_equals_onnxruntime(graph, random_inputs(graph, np.random.default_rng(1)))
    return kinds(checked(graph))["Transpose"]


def residual_net() -> Net:
    net = Net(None, 9, 10, 3)
    net.conv(8, strides=(2, 2), activation=RELU)
    net.then(ops.Mul(), net.weights(8))
    before = net.then(ops.Add(RELU), net.weights(1, 1, 8))
    net.then(ops.MaxPool2D((2, 2), (1, 1), SAME))
    net.conv(8)
    net.then(ops.Add(RELU), before)
    return net


def test_one_transpose_up_to_a_global_pooling():
    net = residual_net()
    net.then(ops.Mean((1, 2)))
    net.dense(4)
    net.then(ops.Softmax())
    assert transposes(net.graph()) == 1


def test_two_transposes_with_a_flatten():
    net = residual_net()
    first = net.end
    net.then(ops.Pad(((0, 0), (1, 2), (1, 1), (0, 0)), value=0.5))
    net.then(ops.DepthwiseConv2D(), net.weights(1, 3, 3, 16))
    net.then(ops.LeakyRelu())
    net.then(ops.StridedSlice((None, 0, 0, None), (None, 5, 5, None), (1, 1, 1, 1)))
    net.then(ops.Concatenation(-1), first)
    net.then(ops.Mul(), net.weights(24))
    net.then(ops.Maximum(), net.weights(1, 5, 5, 1))
    net.then(ops.Softmax())
    net.then(ops.AveragePool2D((2, 2), (2, 2)))
    net.then(ops.Reshape((-1, 96)))
    net.dense(3)
    assert transposes(net.graph()) == 2


def test_two_transposes_from_image_to_image():
    net = residual_net()
    net.then(ops.ResizeBilinear((10, 12)))
    net.then(ops.Mean((3,), keep_dims=True))
    net.then(ops.Tile((1, 1, 1, 3)))
    net.then(ops.Reverse((1, 3)))
    net.conv(4)
    net.then(ops.Softmax())
    assert transposes(net.graph()) == 2


def test_squeeze_and_excite_has_no_transpose_of_its_own():
    net = residual_net()
    image = net.end
    net.then(ops.Mean((1, 2)))
    net.dense(2)
    net.dense(8)
    net.then(ops.Logistic())
    net.then(ops.Reshape((-1, 1, 1, 8)))
    net.then(ops.Mul(), image)
    net.then(ops.Mean((1, 2)))
    assert transposes(net.graph()) == 1


def test_dense_over_channels_is_a_convolution():
    """A ConvNeXt block: normalisation and dense layers over the channels of an image."""
    net = residual_net()
    image = net.end
    net.then(ops.DepthwiseConv2D(padding=SAME), net.weights(1, 3, 3, 8))
    centered = net.then(ops.Sub(), net.add(ops.Mean((3,), keep_dims=True), [net.end], "m"))
    net.then(ops.Square())
    net.then(ops.Mean((3,), keep_dims=True))
    net.then(ops.Add(), net.weights(1, 1, 1, 1))
    net.then(ops.Abs())
    net.then(ops.Rsqrt())
    net.then(ops.Mul(), centered)
    net.dense(16)
    net.then(ops.Gelu())
    net.dense(8)
    net.then(ops.Add(), image)
    net.then(ops.Mean((1, 2)))
    assert transposes(net.graph()) == 1


def test_gray_images_and_single_pixels_are_only_reshaped():
    net = Net(None, 6, 6, 1)
    net.conv(4, strides=(2, 2))
    net.then(ops.MaxPool2D((3, 3), (3, 3)))
    net.then(ops.Reshape((-1, 4)))
    assert transposes(net.graph()) == 0


def test_one_dimensional_convolutions():
    net = Net(None, None, 3)
    net.then(ops.ExpandDims(1))
    net.conv(4, 1)
    net.then(ops.Squeeze((1,)))
    net.then(ops.Relu())
    net.then(ops.ExpandDims(1))
    net.conv(4, 1)
    net.then(ops.Squeeze((1,)))
    net.then(ops.Mean((1,)))
    graph = net.graph()
    x = np.random.default_rng(0).standard_normal((2, 5, 3)).astype(np.float32)
    assert_equals_onnxruntime(graph, {"x": x})
    assert kinds(checked(graph))["Transpose"] == 1


def test_regrouped_pixels_stay_channels_first():
    net = residual_net()
    net.then(ops.Reshape((-1, 25, 8)))
    net.then(ops.Softmax())
    net.then(ops.Mean((1,)))
    assert transposes(net.graph()) == 1


@pytest.mark.parametrize("batch", [None, 2])
def test_images_of_a_sequence_are_told_apart(batch):
    """What lies between batch and channels grows: the batch is another, open or not."""
    builder = GraphBuilder("sequence")
    x = builder.input("x", (batch, 4, 5, 5, 3))
    images = builder.add(ops.Reshape((-1, 5, 5, 3)), [x], "images")
    weights = np.random.default_rng(0).normal(size=(6, 3, 3, 3)).astype("float32")
    kernel = builder.constant("kernel", weights)
    bias = builder.constant("bias", np.zeros(6, np.float32))
    y = builder.add(ops.Conv2D(padding=SAME), [images, kernel, bias], "conv")
    y = builder.add(ops.Reshape((-1, 4, 5, 5, 6)), [y], "steps")
    y = builder.add(ops.Mul(), [y, y], "squared")
    graph = builder.finish({"y": y})
    assert_equals_onnxruntime(graph, random_inputs(graph, np.random.default_rng(1)))


def test_transposes_of_the_model_cancel():
    net = Net(None, 5, 6, 3)
    net.conv(4)
    net.then(ops.Transpose((0, 3, 1, 2)))
    net.then(ops.Relu())
    net.then(ops.Transpose((0, 2, 3, 1)))
    net.conv(4)
    net.then(ops.Mean((1, 2)))
    assert transposes(net.graph()) == 1


def test_a_dense_network_is_left_alone():
    net = Net(None, 7, 3)
    net.dense(4)
    net.then(ops.Softmax())
    assert transposes(net.graph()) == 0


@pytest.mark.parametrize("how", [{}, {"strides": (2, 2)}, {"dilations": (2, 2)}], ids=str)
@pytest.mark.parametrize("padding", list(Padding))
def test_zeros_around_an_image_fold_into_convolutions(how, padding):
    net = Net(None, 9, 8, 3)
    net.then(ops.Pad(((0, 0), (1, 2), (3, 0), (0, 0))))
    net.then(ops.Conv2D(padding=padding, **how), net.weights(4, 3, 3, 3))
    graph = net.graph()
    assert_equals_onnxruntime(graph, random_inputs(graph, np.random.default_rng(0)))
    assert "Pad" not in kinds(to_onnx(graph))


@pytest.mark.parametrize(
    ("paddings", "value"),
    [(((0, 0), (1, 1), (1, 1), (0, 0)), 1.0), (((0, 0), (1, 1), (1, 1), (0, 1)), 0.0)],
)
def test_other_pads_stay(paddings, value):
    net = Net(None, 9, 8, 3)
    net.then(ops.Pad(paddings, value))
    net.conv(4)
    graph = net.graph()
    assert_equals_onnxruntime(graph, random_inputs(graph, np.random.default_rng(0)))
    assert kinds(to_onnx(graph))["Pad"] == 1


def test_a_pad_that_is_an_output_stays():
    net = Net(None, 9, 8, 3)
    padded = net.then(ops.Pad(((0, 0), (1, 1), (1, 1), (0, 0))))
    graph = net.finish({"padded": padded, "conv": net.conv(4)})
    assert_equals_onnxruntime(graph, random_inputs(graph, np.random.default_rng(0)))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data(), seed=st.integers(0, 1000))
def test_random_chains(data, seed):
    """Every op in every order: the numbers stay right whatever is transposed."""
    net = Net(2, 6, 4, 4)
    net.rng = np.random.default_rng(seed)
    earlier = [net.end]
    for _ in range(data.draw(st.integers(1, 7))):
        shape = net.tensor(net.end).shape
        rank = len(shape)
        choices = ["unary", "constant", "softmax", "dense", "transpose", "slice", "reduce", "flat"]
        choices += ["conv", "conv", "pool", "resize"] if rank == 4 else []
        choices += ["join"] if any(net.tensor(n).shape == shape for n in earlier) else []
        match data.draw(st.sampled_from(choices)):
            case "unary":
                net.then(ops.Tanh())
            case "constant":
                size = data.draw(st.sampled_from([shape[-1:], (1,), shape[1:], shape]))
                net.then(ops.Add(), net.weights(*size))
            case "softmax":
                net.then(ops.Softmax())
            case "dense":
                net.dense(4)
            case "transpose":
                net.then(ops.Transpose(tuple(data.draw(st.permutations(range(rank))))))
            case "slice":
                squeezed = (1,) if rank > 3 and data.draw(st.booleans()) else ()
                end = tuple(1 if axis == 1 else None for axis in range(rank))
                net.then(ops.StridedSlice((None,) * rank, end, (1,) * rank, squeezed))
            case "reduce":
                axes = data.draw(st.sets(st.sampled_from(range(rank)), max_size=rank - 2))
                net.then(ops.Mean(tuple(sorted(axes)), rank < 4 or data.draw(st.booleans())))
            case "flat":
                total = int(np.prod(shape))
                lead = data.draw(st.sampled_from([(shape[0],), (shape[0], 1), (shape[0], 1, 1)]))
                net.then(ops.Reshape((*lead, total // shape[0])))
            case "conv":
                net.conv(4)
            case "pool":
                net.then(ops.MaxPool2D((2, 2), (1, 1), SAME))
            case "resize":
                # bilinear: ONNX Runtime 1.32 moves any Transpose past it and then refuses
                # what it has made, unless that is NHWC or NCHW
                net.then(ops.ResizeNearest((3, 5)))
            case "join":
                other = next(n for n in earlier if net.tensor(n).shape == shape)
                net.then(data.draw(st.sampled_from([ops.Add(), ops.Concatenation(-1)])), other)
        earlier.append(net.end)
    graph = net.finish({"end": net.end, "middle": earlier[len(earlier) // 2]})
    assert_equals_onnxruntime(graph, random_inputs(graph, net.rng))
