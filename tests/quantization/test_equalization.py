import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph
from edgenn.ir.operator import Activation, Padding
from edgenn.ir.ops import Conv2D, DepthwiseConv2D, FullyConnected, Reshape, Tanh
from edgenn.quantization.equalization import (
    FACTORS,
    Channels,
    balanced_tensors,
    equalize,
    quietest_factors,
)


def chain(activation: Activation, groups: int, multiplier: int) -> Graph:
    """conv → depthwise → grouped conv → dense, channels of very different width."""
    rng = np.random.default_rng(3)
    builder = GraphBuilder("m")

    def constant(name: str, *shape: int) -> str:
        return builder.constant(name, rng.normal(size=shape).astype(np.float32))

    x = builder.input("x", (None, 6, 6, 3))
    kernel = rng.normal(size=(4, 3, 3, 3)) * np.array([0.01, 1, 0.1, 10])[:, None, None, None]
    inputs = [x, builder.constant("k", kernel.astype(np.float32)), constant("b", 4)]
    y = builder.add(Conv2D(padding=Padding.SAME, activation=activation), inputs, "conv")
    wide = 4 * multiplier
    depthwise = DepthwiseConv2D(padding=Padding.SAME, activation=activation)
    y = builder.add(depthwise, [y, constant("dk", 1, 3, 3, wide), constant("db", wide)], "depth")
    grouped = Conv2D(groups=groups, strides=(2, 2), activation=activation)
    y = builder.add(grouped, [y, constant("gk", 8, 1, 1, wide // groups)], "grouped")
    y = builder.add(Reshape((-1, 72)), [y], "flat")
    return builder.finish({"y": builder.add(FullyConnected(), [y, constant("w", 5, 72)], "dense")})


def channels_of(graph: Graph, x: np.ndarray) -> dict[str, Channels]:
    rows = {name: v.reshape(-1, v.shape[-1]) for name, v in evaluate(graph, {"x": x}).items()}
    return {
        name: Channels(np.abs(v).max(axis=0), np.square(v).mean(axis=0)) for name, v in rows.items()
    }


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    st.sampled_from([Activation.NONE, Activation.RELU]),
    st.sampled_from([1, 2, 4]),
    st.sampled_from([1, 2]),
)
def test_the_float_model_stays_and_channels_come_closer(
    activation: Activation, groups: int, multiplier: int
) -> None:
    graph = chain(activation, groups, multiplier)
    x = np.random.default_rng(0).normal(size=(4, 6, 6, 3)).astype(np.float32)
    before = channels_of(graph, x)
    balanced = equalize(graph, before)
    y, z = evaluate(graph, {"x": x})["dense"], evaluate(balanced, {"x": x})["dense"]
    assert np.abs(y - z).max() <= 1e-5 * np.abs(y).max()
    after = channels_of(balanced, x)
    assert balanced_tensors(graph) == {"conv", "depth"}
    assert spread(after["conv"]) < spread(before["conv"]) ** 0.8
    factors = balanced.metadata[FACTORS]["conv"]
    assert after["conv"].magnitudes * factors == pytest.approx(before["conv"].magnitudes, rel=1e-4)


def spread(channels: Channels) -> float:
    used = channels.magnitudes[channels.magnitudes > 0]
    return float(used.max() / used.min())


def test_a_layer_whose_weights_would_suffer_more_is_left_alone() -> None:
    # one narrow channel that matters most: scaling its weights down would drown them
    channels = Channels(np.array([1.0, 0.01]), np.array([0.3, 3e-5]))
    kernel = np.array([[[1.0, 1e-4]]])
    assert quietest_factors(channels, [kernel]).tolist() == [1.0, 1.0]
    # a depthwise kernel has a scale for each channel: nothing is lost, so all is balanced
    depthwise = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    assert quietest_factors(channels, [depthwise]) == pytest.approx([1.0, 1 / 16])


def test_what_cannot_be_undone_is_left_alone() -> None:
    builder = GraphBuilder("m")
    x = builder.input("x", (None, 4))
    w = builder.constant("w", np.eye(4, dtype=np.float32))
    shared = builder.add(FullyConnected(), [x, w], "a")  # w is read twice
    shared = builder.add(FullyConnected(), [shared, w], "b")
    curved = builder.add(Tanh(), [shared], "tanh")  # not homogeneous
    v = builder.constant("v", np.eye(4, dtype=np.float32))
    six = builder.add(FullyConnected(Activation.RELU6), [curved, v], "six")
    u = builder.constant("u", np.eye(4, dtype=np.float32))
    assert balanced_tensors(
        builder.finish({"y": builder.add(FullyConnected(), [six, u], "y")})
    ) == (set())
