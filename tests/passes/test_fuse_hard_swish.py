import numpy as np
import pytest
from support.rewriting import kinds, rewrite

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.operator import Activation
from edgenn.ir.ops import Abs, Add, Div, Logistic, Mul, Relu6
from edgenn.passes.fuse_hard_swish import FuseHardSwish


def gated(three=3.0, sixth=1 / 6, place="gate", *, fused=False, divide=False, own_gate=True):
    """``x * relu6(x + three) * sixth`` with the scale at one of three places."""
    builder = GraphBuilder("m")
    x = builder.add(Abs(), [builder.input("x", (None, 4))], "x_abs")
    other = builder.add(Logistic(), [x], "other")
    constant = builder.constant("three", np.float32(three))
    gate = builder.add(
        Add(Activation.RELU6 if fused else Activation.NONE),
        [x if own_gate else other, constant],
        "shifted",
    )
    if not fused:
        gate = builder.add(Relu6(), [gate], "gate")

    def scaled(name, suffix):
        number = builder.constant(f"c{suffix}", np.float32(1 / sixth if divide else sixth))
        return builder.add(Div() if divide else Mul(), [name, number], f"scaled{suffix}")

    left, right = x, gate
    if place == "gate":
        right = scaled(gate, "_gate")
    if place == "x":
        left = scaled(x, "_x")
    y = builder.add(Mul(), [left, right], "product")
    return builder.finish({"y": scaled(y, "_end") if place == "end" else y})


@pytest.mark.parametrize("divide", [False, True])
@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("place", ["gate", "x", "end"])
def test_every_way_to_write_it(place, fused, divide):
    after = rewrite(gated(place=place, fused=fused, divide=divide), FuseHardSwish())
    assert kinds(after) == ["abs", "hard_swish"]


@pytest.mark.parametrize(
    "change", [{"three": 2.5}, {"sixth": 0.2}, {"own_gate": False}, {"place": "nowhere"}]
)
def test_what_only_looks_like_it_stays(change):
    graph = gated(**change)
    assert FuseHardSwish()(graph) is graph


def test_the_sigmoid_kind_stays():
    builder = GraphBuilder("m")
    x = builder.input("x", (None, 4))
    graph = builder.finish(
        {"y": builder.add(Mul(), [x, builder.add(Logistic(), [x], "gate")], "y")}
    )
    assert FuseHardSwish()(graph) is graph
