import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.rewriting import kinds, rewrite

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.operator import Padding
from edgenn.ir.ops import Conv2D, DepthwiseConv2D, Pad
from edgenn.ir.ops.geometry import pad_amounts
from edgenn.passes.fold_padding import FoldPadding

RNG = np.random.default_rng(3)
MOBILENET = ((0, 0), (0, 1), (0, 1), (0, 0))


def padded_conv(paddings, *, size=(8, 8), value=0.0, operator=None, extent=(3, 3)):
    builder = GraphBuilder("m")
    x = builder.input("x", (None, *size, 2))
    pad = builder.add(Pad(paddings, value), [x], "pad")
    kernel = builder.constant("k", RNG.normal(0, 1, (1, *extent, 2)).astype(np.float32))
    operator = operator or DepthwiseConv2D(strides=(2, 2))
    return builder, pad, builder.add(operator, [pad, kernel], "y")


def test_mobilenets_padding_becomes_same():
    builder, _, y = padded_conv(MOBILENET)
    after = rewrite(builder.finish({"y": y}), FoldPadding())
    assert kinds(after) == ["depthwise_conv_2d"]
    assert after.ops[0].operator.padding is Padding.SAME


def test_amounts_that_differ_stay():
    wrong = [((0, 0), (1, 1), (1, 1), (0, 0)), ((0, 0), (0, 1), (0, 1), (1, 1))]
    for paddings in wrong:
        operator = Conv2D(strides=(2, 2))
        builder = GraphBuilder("m")
        x = builder.input("x", (None, 8, 8, 2))
        pad = builder.add(Pad(paddings), [x], "pad")
        depth = builder.tensor(pad).shape[3]
        kernel = builder.constant("k", RNG.normal(0, 1, (3, 3, 3, depth)).astype(np.float32))
        graph = builder.finish({"y": builder.add(operator, [pad, kernel], "y")})
        assert FoldPadding()(graph) is graph


def test_other_values_open_sizes_same_convolutions_and_needed_pads_stay():
    builder, pad, y = padded_conv(MOBILENET)
    both = builder.finish({"pad": pad, "y": y})
    same = DepthwiseConv2D(strides=(2, 2), padding=Padding.SAME)
    graphs = [
        both,
        finished(padded_conv(MOBILENET, value=1.0)),
        finished(padded_conv(MOBILENET, size=(None, 8))),
        finished(padded_conv(MOBILENET, operator=same)),
    ]
    for graph in graphs:
        assert FoldPadding()(graph) is graph


def finished(parts):
    builder, _, y = parts
    return builder.finish({"y": y})


def test_two_pads_become_one():
    builder = GraphBuilder("m")
    x = builder.input("x", (None, 3))
    inner = builder.add(Pad(((0, 0), (1, 0)), 2.0), [x], "inner")
    graph = builder.finish({"y": builder.add(Pad(((0, 0), (2, 3)), 2.0), [inner], "y")})
    (op,) = rewrite(graph, FoldPadding()).ops
    assert op.operator.paddings == ((0, 0), (3, 3))
    graph = builder.finish({"y": builder.add(Pad(((0, 0), (2, 3)), 1.0), [inner], "z")})
    assert FoldPadding()(graph) is graph


PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    size=st.tuples(st.integers(4, 9), st.integers(4, 9)),
    extent=PAIRS,
    strides=PAIRS,
    dilations=PAIRS,
)
def test_every_padding_of_tensorflow_is_recognised(size, extent, strides, dilations):
    assume(strides == (1, 1) or dilations == (1, 1))
    amounts = [
        pad_amounts(*numbers, Padding.SAME)
        for numbers in zip(size, extent, strides, dilations, strict=True)
    ]
    operator = DepthwiseConv2D(strides=strides, dilations=dilations)
    parts = padded_conv(((0, 0), *amounts, (0, 0)), size=size, operator=operator, extent=extent)
    assert kinds(rewrite(finished(parts), FoldPadding())) == ["depthwise_conv_2d"]
