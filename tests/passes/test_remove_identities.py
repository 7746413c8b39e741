import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.rewriting import kinds, rewrite

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.operator import Activation
from edgenn.ir.ops import (
    Abs,
    Add,
    AveragePool2D,
    BroadcastTo,
    Cast,
    Concatenation,
    Conv2D,
    Div,
    Exp,
    ExpandDims,
    MaxPool2D,
    Mean,
    MirrorPad,
    Mul,
    Pack,
    Pad,
    Pow,
    ReduceMax,
    Reshape,
    ResizeBilinear,
    ResizeNearest,
    Reverse,
    Split,
    Squeeze,
    StridedSlice,
    Sub,
    Tile,
    Transpose,
)
from edgenn.passes.remove_identities import RemoveIdentities

SHAPE = (None, 4, 1, 3)
ALL = (None,) * 4
NO_PADDING = ((0, 0),) * 4


def between(*steps, shape=SHAPE, constants=()):
    """abs, the steps one after the other, exp."""
    builder = GraphBuilder("m")
    x = builder.add(Abs(), [builder.input("x", shape)], "start")
    extra = [builder.constant(f"c{i}", np.asarray(c, np.float32)) for i, c in enumerate(constants)]
    for i, operator in enumerate(steps):
        x = builder.add(operator, [x, *extra], f"step{i}")
    return builder.finish({"y": builder.add(Exp(), [x], "end")})


def remaining(graph):
    """The operators between abs and exp after the pass."""
    return [op.operator for op in rewrite(graph, RemoveIdentities()).ops[1:-1]]


IDENTITIES = [
    (Reshape((-1, 4, 1, 3)), ()),
    (Transpose((0, 1, 2, 3)), ()),
    (Cast("float32"), ()),
    (Pad(NO_PADDING), ()),
    (MirrorPad(NO_PADDING), ()),
    (Tile((1, 1, 1, 1)), ()),
    (StridedSlice(ALL, ALL, (1,) * 4), ()),
    (StridedSlice((0,) * 4, (None, 9, 1, None), (1,) * 4), ()),
    (Concatenation(1), ()),
    (Split(3, (3,)), ()),
    (ResizeBilinear((4, 1)), ()),
    (ResizeNearest((4, 1)), ()),
    (MaxPool2D((1, 1), (1, 1)), ()),
    (AveragePool2D((1, 1), (1, 1)), ()),
    (Reverse((2,)), ()),
    (Add(), [0]),
    (Sub(), [np.zeros((1, 3))]),
    (Mul(), [np.ones(3)]),
    (Div(), [1]),
    (Pow(), [1]),
]


@pytest.mark.parametrize(
    ("operator", "constants"), IDENTITIES, ids=lambda v: getattr(v, "kind", "")
)
def test_what_gives_its_input_back_goes(operator, constants):
    assert remaining(between(operator, constants=constants)) == []


def test_a_broadcast_to_the_same_shape_goes():
    assert remaining(between(BroadcastTo((2, 4, 1, 3)), shape=(2, 4, 1, 3))) == []


NOT_IDENTITIES = [
    (Add(Activation.RELU), [0]),
    (Add(), [[0, 0, 1]]),
    (Mul(), [np.ones((5, 3))]),  # broadcasts (…, 1, 3) up to (…, 5, 3)
    (MaxPool2D((1, 1), (1, 1), activation=Activation.RELU6), ()),
    (StridedSlice(ALL, ALL, (1, -1, 1, 1)), ()),
    (StridedSlice((0,) * 4, (1, 4, 1, 3), (1,) * 4), ()),
    (Reverse((1,)), ()),
    (Transpose((0, 3, 2, 1)), ()),
]


@pytest.mark.parametrize(
    ("operator", "constants"), NOT_IDENTITIES, ids=lambda v: getattr(v, "kind", "")
)
def test_what_only_looks_like_it_stays(operator, constants):
    graph = between(operator, constants=constants)
    assert RemoveIdentities()(graph) is graph


@pytest.mark.parametrize(("operator", "constant"), [(Sub(), 0), (Div(), 1), (Pow(), 1)])
def test_a_constant_in_front_is_another_matter(operator, constant):
    builder = GraphBuilder("m")
    x = builder.input("x", (2, 3))
    c = builder.constant("c", np.float32(constant))
    graph = builder.finish({"y": builder.add(Abs(), [builder.add(operator, [c, x], "z")], "y")})
    assert RemoveIdentities()(graph) is graph


DISGUISES = [
    (Transpose((0, 2, 1, 3)), (-1, 1, 4, 3)),
    (Transpose((2, 0, 1, 3)), (1, -1, 4, 3)),
    (Mean((2,)), (-1, 4, 3)),
    (ReduceMax((2,)), (-1, 4, 3)),
    (Pack(1), (-1, 1, 4, 1, 3)),
    (StridedSlice(ALL, ALL, (1,) * 4, squeezed=(2,)), (-1, 4, 3)),
]


@pytest.mark.parametrize(("operator", "shape"), DISGUISES, ids=lambda v: getattr(v, "kind", ""))
def test_reshapes_in_disguise(operator, shape):
    assert remaining(between(operator)) == [Reshape(shape)]


def test_transposes_compose():
    to_first, to_last = Transpose((0, 3, 1, 2)), Transpose((0, 2, 3, 1))
    shape = (None, 4, 5, 3)
    assert remaining(between(to_first, to_last, shape=shape)) == []
    assert remaining(between(to_first, to_first, shape=shape)) == [Transpose((0, 2, 3, 1))]


PAIRS = [
    ([Squeeze((2,)), ExpandDims(2)], []),
    ([ExpandDims(1), Squeeze((1,))], []),
    ([Squeeze((2,)), ExpandDims(1)], [Reshape((-1, 1, 4, 3))]),
    ([Reshape((-1, 12)), Reshape((-1, 4, 1, 3))], []),
    ([Squeeze((2,)), Reshape((-1, 12)), Reshape((-1, 2, 6))], [Reshape((-1, 2, 6))]),
]


@pytest.mark.parametrize(("steps", "expected"), PAIRS)
def test_reshapes_in_a_row(steps, expected):
    assert remaining(between(*steps)) == expected


def test_several_open_dimensions():
    shape = (None, None, 1, 3)
    pair = [Squeeze((2,)), ExpandDims(2)]
    assert remaining(between(*pair, shape=shape)) == []
    graph = between(Squeeze((2,)), ExpandDims(1), shape=shape)
    assert RemoveIdentities()(graph) is graph


def test_a_reshape_that_is_read_elsewhere_stays_for_those():
    builder = GraphBuilder("m")
    x = builder.add(Abs(), [builder.input("x", (None, 4, 1, 3))], "start")
    flat = builder.add(Reshape((-1, 12)), [x], "flat")
    back = builder.add(Reshape((-1, 4, 1, 3)), [flat], "back")
    graph = builder.finish({"flat": flat, "y": builder.add(Exp(), [back], "y")})
    assert kinds(rewrite(graph, RemoveIdentities())) == ["abs", "reshape", "exp"]


def test_outputs_keep_their_names():
    builder = GraphBuilder("m")
    x = builder.input("x", (None, 3))
    middle = builder.add(Abs(), [x], "abs")
    y = builder.add(Reshape((-1, 3)), [middle], "y")
    after = rewrite(
        builder.finish({"y": y, "z": builder.add(Exp(), [middle], "z")}), RemoveIdentities()
    )
    assert [(op.kind, op.inputs, op.output) for op in after.ops] == [
        ("abs", ("x",), "y"),
        ("exp", ("y",), "z"),
    ]
    builder = GraphBuilder("m")
    x = builder.input("x", (None, 3))
    direct = builder.finish({"y": builder.add(Reshape((-1, 3)), [x], "y")})
    assert RemoveIdentities()(direct) is direct


def test_the_layers_name_survives_its_reshape():
    builder = GraphBuilder("m")
    x = builder.input("x", (None, 1, 8, 2))
    for name in ("first", "second"):
        kernel = builder.constant(f"{name}/kernel", np.ones((2, 1, 3, 2), np.float32))
        conv = builder.add(Conv2D(), [x, kernel], f"{name}/conv2d")
        row = builder.add(Squeeze((1,)), [conv], name)
        x = builder.add(ExpandDims(1), [row], f"{name}/next")
    after = rewrite(builder.finish({"y": x}), RemoveIdentities())
    assert [op.output for op in after.ops] == ["first", "second/next"]


STEPS = st.lists(
    st.one_of(
        st.sampled_from([Reshape((-1, 12)), Reshape((-1, 2, 6)), Reshape((-1, 4, 1, 3))]),
        st.sampled_from([ExpandDims(1), Transpose, Squeeze]),
    ),
    max_size=6,
)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(steps=STEPS, data=st.data())
def test_any_row_of_movers(steps, data):
    builder = GraphBuilder("m")
    x = builder.add(Abs(), [builder.input("x", (None, 4, 1, 3))], "start")
    for i, operator in enumerate(steps):
        shape = builder.tensor(x).shape
        if operator is Squeeze:
            operator = Squeeze(tuple(i for i, size in enumerate(shape) if size == 1))
        elif operator is Transpose:
            axes = data.draw(st.permutations(range(1, len(shape))))
            operator = Transpose((0, *axes))
        if len(shape) < 6 or not isinstance(operator, ExpandDims):
            x = builder.add(operator, [x], f"step{i}")
    graph = builder.finish({"y": builder.add(Exp(), [x], "end")})
    assert len(rewrite(graph, RemoveIdentities()).ops) <= len(graph.ops)
