"""Windows of any size: the captured graph gives what Keras gives."""

from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.captured import assert_captured, layer_model

from edgenn.frontend.keras_import import keras

layers = keras.layers
few = settings(max_examples=20, deadline=None, derandomize=True)
SIZE, KERNEL, STRIDE = st.integers(1, 12), st.integers(1, 4), st.integers(1, 3)
PADDING = st.sampled_from(["valid", "same"])


@st.composite
def windows(draw: Any) -> dict[str, Any]:
    """Kernel, strides, dilation and padding; Keras has strides or dilation, not both."""
    window = {"kernel_size": (draw(KERNEL), draw(KERNEL)), "padding": draw(PADDING)}
    if draw(st.booleans()):
        return {**window, "dilation_rate": (draw(st.integers(1, 3)), draw(st.integers(1, 3)))}
    stride = draw(STRIDE)
    return {**window, "strides": (stride, stride)}


def fits(window: dict[str, Any], *size: int) -> bool:
    dilations = window.get("dilation_rate", (1, 1))
    extents = [(k - 1) * d + 1 for k, d in zip(window["kernel_size"], dilations, strict=True)]
    return window["padding"] == "same" or all(e <= s for e, s in zip(extents, size, strict=True))


@few
@given(SIZE, SIZE, st.integers(1, 3), st.integers(1, 3), st.integers(1, 2), windows())
def test_convolution(
    height: int, width: int, groups: int, depth: int, filters: int, window: dict[str, Any]
) -> None:
    assume(fits(window, height, width))
    layer = layers.Conv2D(groups * filters, groups=groups, **window)
    assert_captured(layer_model(layer, (height, width, groups * depth)))


@few
@given(SIZE, SIZE, st.integers(1, 3), st.integers(1, 2), windows())
def test_depthwise_convolution(
    height: int, width: int, channels: int, multiplier: int, window: dict[str, Any]
) -> None:
    assume(fits(window, height, width))
    layer = layers.DepthwiseConv2D(depth_multiplier=multiplier, **window)
    assert_captured(layer_model(layer, (height, width, channels)))


@few
@given(SIZE, SIZE, KERNEL, KERNEL, STRIDE, STRIDE, PADDING)
def test_transposed_convolution(
    height: int, width: int, kh: int, kw: int, sh: int, sw: int, padding: str
) -> None:
    layer = layers.Conv2DTranspose(2, (kh, kw), strides=(sh, sw), padding=padding)
    assert_captured(layer_model(layer, (height, width, 3)))


@few
@given(SIZE, SIZE, KERNEL, KERNEL, STRIDE, PADDING, st.sampled_from(["Max", "Average"]))
def test_pooling(
    height: int, width: int, kh: int, kw: int, stride: int, padding: str, kind: str
) -> None:
    assume(padding == "same" or (kh <= height and kw <= width))
    layer = getattr(layers, f"{kind}Pooling2D")((kh, kw), strides=stride, padding=padding)
    assert_captured(layer_model(layer, (height, width, 3)))


@few
@given(SIZE, SIZE, SIZE, SIZE, st.sampled_from(["nearest", "bilinear"]))
def test_resizing(height: int, width: int, rows: int, columns: int, interpolation: str) -> None:
    layer = layers.Resizing(rows, columns, interpolation=interpolation)
    assert_captured(layer_model(layer, (height, width, 2)))
