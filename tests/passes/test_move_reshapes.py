import numpy as np
import pytest
from support.rewriting import kinds, rewrite

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.ops import (
    Abs,
    Add,
    Cast,
    ExpandDims,
    LeakyRelu,
    Maximum,
    Mul,
    Pad,
    Prelu,
    Relu,
    Reshape,
    Softmax,
    Squeeze,
    Sub,
    Tanh,
)
from edgenn.passes.move_reshapes import MoveReshapes

RNG = np.random.default_rng(5)


def after_squeeze(operator, *constants, first=False, shape=(None, 1, 6, 3), reshape=None):
    builder = GraphBuilder("m")
    x = builder.add(Abs(), [builder.input("x", shape)], "start")
    row = builder.add(reshape or Squeeze((1,)), [x], "row")
    inputs = [row] + [builder.constant(f"c{i}", np.asarray(c)) for i, c in enumerate(constants)]
    return builder.finish({"y": builder.add(operator, inputs[::-1] if first else inputs, "y")})


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(0, 1, shape).astype(np.float32)


MOVED = [
    (Relu(), []),
    (Tanh(), []),
    (LeakyRelu(0.1), []),
    (Cast("int32"), []),
    (Add(), [normal(3)]),
    (Mul(), [np.float32(2)]),
    (Maximum(), [normal(1, 1, 3)]),
    (Prelu(), [normal(1, 3)]),
]


@pytest.mark.parametrize(("operator", "constants"), MOVED, ids=lambda v: getattr(v, "kind", ""))
def test_element_wise_ops_come_first(operator, constants):
    after = rewrite(after_squeeze(operator, *constants), MoveReshapes())
    assert kinds(after) == ["abs", operator.kind, "squeeze"]
    assert after.tensors["y/unshaped"].shape == (None, 1, 6, 3)


def test_the_constant_may_come_first():
    after = rewrite(after_squeeze(Sub(), normal(3), first=True), MoveReshapes())
    assert kinds(after) == ["abs", "sub", "squeeze"]


STAYS = {
    "along the axis": after_squeeze(Softmax()),
    "per position": after_squeeze(Add(), normal(6, 3)),
    "broadcasts up": after_squeeze(Add(), normal(2, 1, 1, 1)),
    "last axis changes": after_squeeze(Add(), normal(18), reshape=Reshape((-1, 18))),
    "rank above 4": after_squeeze(Relu(), shape=(None, 1, 2, 2, 3), reshape=Reshape((-1, 12))),
}


@pytest.mark.parametrize("case", STAYS)
def test_left_alone(case):
    assert MoveReshapes()(STAYS[case]) is STAYS[case]


def test_a_reshape_that_is_needed_stays():
    builder = GraphBuilder("m")
    x = builder.add(Abs(), [builder.input("x", (None, 1, 6, 3))], "start")
    row = builder.add(Squeeze((1,)), [x], "row")
    graph = builder.finish({"row": row, "y": builder.add(Relu(), [row], "y")})
    assert MoveReshapes()(graph) is graph


def test_a_sum_of_two_reshaped_tensors():
    builder = GraphBuilder("m")
    x = builder.input("x", (None, 1, 6, 3))
    a = builder.add(Squeeze((1,)), [builder.add(Abs(), [x], "abs")], "a")
    b = builder.add(Squeeze((1,)), [builder.add(Tanh(), [x], "tanh")], "b")
    y = builder.add(ExpandDims(1), [builder.add(Add(), [a, b], "sum")], "y")
    after = rewrite(builder.finish({"y": y}), MoveReshapes())
    assert kinds(after) == ["abs", "tanh", "add", "squeeze", "expand_dims"]


def test_a_sum_of_tensors_that_were_shaped_differently_stays():
    builder = GraphBuilder("m")
    a = builder.add(Squeeze((1,)), [builder.input("x", (None, 1, 6, 3))], "a")
    b = builder.add(Reshape((-1, 6, 3)), [builder.input("z", (None, 18))], "b")
    graph = builder.finish({"y": builder.add(Add(), [a, b], "y")})
    assert MoveReshapes()(graph) is graph


def test_padding_comes_first_where_only_dimensions_of_size_1_go():
    after = rewrite(after_squeeze(Pad(((0, 0), (2, 1), (0, 0)), 3.0)), MoveReshapes())
    assert kinds(after) == ["abs", "pad", "reshape"]
    assert after.ops[1].operator.paddings == ((0, 0), (0, 0), (2, 1), (0, 0))
    graph = after_squeeze(Pad(((0, 0), (2, 1))), reshape=Reshape((-1, 18)))
    assert MoveReshapes()(graph) is graph
