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
    Conv2D,
    DepthwiseConv2D,
    Div,
    FullyConnected,
    Maximum,
    MaxPool2D,
    Minimum,
    Mul,
    Relu,
    Relu6,
    ReluN1To1,
    Split,
    Sub,
    TransposeConv2D,
)
from edgenn.passes.fuse_activations import FuseActivations

RNG = np.random.default_rng(2)
CLAMPS = {
    Relu: Activation.RELU,
    Relu6: Activation.RELU6,
    ReluN1To1: Activation.RELU_N1_TO_1,
}


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(0, 3, shape).astype(np.float32)


PRODUCERS = {
    "conv": (Conv2D(), [normal(2, 3, 3, 2)]),
    "depthwise": (DepthwiseConv2D(), [normal(1, 3, 3, 2)]),
    "transposed": (TransposeConv2D(output_size=(6, 6)), [normal(2, 3, 3, 2)]),
    "dense": (FullyConnected(), [normal(2, 2), normal(2)]),
    "add": (Add(), [normal(2)]),
    "sub": (Sub(), [normal(2)]),
    "mul": (Mul(), [normal(2)]),
    "div": (Div(), [normal(2)]),
    "max_pool": (MaxPool2D(), []),
    "average_pool": (AveragePool2D(), []),
}


def produced(which):
    builder = GraphBuilder("m")
    operator, constants = PRODUCERS[which]
    inputs = [builder.input("x", (None, 4, 4, 2))]
    inputs += [builder.constant(f"c{i}", data) for i, data in enumerate(constants)]
    return builder, builder.add(operator, inputs, "p")


@pytest.mark.parametrize("clamp", CLAMPS)
@pytest.mark.parametrize("which", PRODUCERS)
def test_a_clamp_moves_into_the_op_before_it(which, clamp):
    builder, p = produced(which)
    after = rewrite(builder.finish({"y": builder.add(clamp(), [p], "y")}), FuseActivations())
    (op,) = after.ops
    assert op.operator.activation is CLAMPS[clamp]
    assert op.kind == PRODUCERS[which][0].kind
    assert op.output == "y"


def test_a_value_that_is_needed_unclamped_stays():
    builder, p = produced("conv")
    clamped = builder.add(Relu(), [p], "clamped")
    graph = builder.finish({"y": builder.add(Add(), [p, clamped], "y")})
    assert FuseActivations()(graph) is graph
    graph = builder.finish({"p": p, "clamped": clamped})
    assert FuseActivations()(graph) is graph


def test_a_clamp_of_what_cannot_fuse_stays_as_it_is():
    builder = GraphBuilder("m")
    x = builder.add(Abs(), [builder.input("x", (None, 4))], "abs")
    graph = builder.finish({"y": builder.add(Relu6(), [x], "y")})
    assert FuseActivations()(graph) is graph


BOUND = {
    Activation.RELU: [(Maximum, 0.0)],
    Activation.RELU6: [(Maximum, 0.0), (Minimum, 6.0)],
    Activation.RELU_N1_TO_1: [(Minimum, 1.0), (Maximum, -1.0)],
}


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("activation", BOUND)
def test_maximum_and_minimum_are_recognised(activation, reverse):
    builder, p = produced("conv")
    limits = BOUND[activation]
    for i, (operator, limit) in enumerate(reversed(limits) if reverse else limits):
        constant = builder.constant(f"limit{i}", np.full((1, 2), limit, np.float32))
        p = builder.add(operator(), [constant, p] if reverse else [p, constant], f"clip{i}")
    after = rewrite(builder.finish({"y": p}), FuseActivations())
    assert kinds(after) == ["conv_2d"]
    assert after.ops[0].operator.activation is activation


def test_a_clip_without_producer_becomes_a_clamp():
    builder = GraphBuilder("m")
    x = builder.input("x", (None, 4))
    low = builder.add(Maximum(), [x, builder.constant("zero", np.float32(0))], "low")
    y = builder.add(Minimum(), [low, builder.constant("six", np.float32(6))], "y")
    assert kinds(rewrite(builder.finish({"y": y}), FuseActivations())) == ["relu6"]


@pytest.mark.parametrize("limit", [0.5, [0.0, 1.0]])
def test_other_limits_are_left(limit):
    builder, p = produced("conv")
    constant = builder.constant("c", np.asarray(limit, np.float32))
    graph = builder.finish({"y": builder.add(Minimum(), [p, constant], "y")})
    assert FuseActivations()(graph) is graph


def test_integers_are_left():
    builder = GraphBuilder("m")
    x = builder.input("x", (None, 4), "int32")
    y = builder.add(Maximum(), [x, builder.constant("zero", np.int32(0))], "y")
    graph = builder.finish({"y": y})
    assert FuseActivations()(graph) is graph


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    clamps=st.lists(st.sampled_from(list(CLAMPS)), min_size=1, max_size=4),
    which=st.sampled_from([None, "conv", "add"]),
)
def test_clamps_in_a_row(clamps, which):
    if which is None:
        builder = GraphBuilder("m")
        x = builder.input("x", (None, 4, 4, 2))
    else:
        builder, x = produced(which)
    for i, clamp in enumerate(clamps):
        x = builder.add(clamp(), [x], f"clamp{i}")
    after = rewrite(builder.finish({"y": x}), FuseActivations())
    # only [0, 1] needs two clamps, of which a producer takes one
    needed = 2 if ReluN1To1 in clamps and len(set(clamps)) > 1 else 1
    assert len(after.ops) <= needed


def test_a_clamp_that_its_input_satisfies_goes():
    builder, p = produced("conv")
    clamped = builder.add(Relu6(), [p], "clamped")
    again = builder.add(Relu(), [clamped], "again")
    limit = builder.constant("limit", np.float32(np.inf))
    never = builder.add(Minimum(), [again, limit], "never")
    graph = builder.finish({"clamped": clamped, "y": builder.add(Abs(), [never], "y")})
    assert kinds(rewrite(graph, FuseActivations())) == ["conv_2d", "abs"]


def test_ops_with_several_outputs_are_passed_by() -> None:
    builder = GraphBuilder("g")
    x = builder.input("x", (None, 6))
    left, right = builder.add_multiple(Split(1, (2, 4)), [x], ["left", "right"])
    outputs = {"a": builder.add(Relu(), [left], "a"), "b": builder.add(Abs(), [right], "b")}
    assert kinds(rewrite(builder.finish(outputs), FuseActivations())) == ["split", "relu", "abs"]


def test_a_clamp_after_an_op_with_several_outputs_stays():
    builder = GraphBuilder("m")
    halves = builder.add_multiple(Split(1, (2, 2)), [builder.input("x", (None, 4))], ["a", "b"])
    graph = builder.finish({"y": builder.add(Relu(), [halves[0]], "y"), "b": halves[1]})
    assert FuseActivations()(graph) is graph
