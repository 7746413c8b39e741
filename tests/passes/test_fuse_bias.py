import numpy as np
import pytest
from support.rewriting import kinds, rewrite

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.operator import Activation
from edgenn.ir.ops import Add, FullyConnected, Mul, Sub
from edgenn.passes.fuse_bias import FuseBias

WEIGHTS = np.arange(6, dtype=np.float32).reshape(2, 3)
VECTOR = np.array([0.5, -1], np.float32)


def dense(bias: bool, activation: Activation = Activation.NONE):
    builder = GraphBuilder("m")
    inputs = [builder.input("x", (None, 3)), builder.constant("d/kernel", WEIGHTS)]
    if bias:
        inputs.append(builder.constant("d/bias", VECTOR))
    return builder, builder.add(FullyConnected(activation), inputs, "d")


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("operator", [Add(Activation.RELU), Sub(Activation.RELU)])
@pytest.mark.parametrize("constant", [VECTOR, VECTOR[None], np.float32(3)], ids=["C", "1C", "1"])
def test_an_addition_becomes_the_bias(bias, operator, constant):
    builder, d = dense(bias)
    y = builder.add(operator, [d, builder.constant("c", np.asarray(constant))], "y")
    after = rewrite(builder.finish({"y": y}), FuseBias())
    (op,) = after.ops
    assert op.operator == FullyConnected(Activation.RELU)
    assert after.tensors["d/kernel"].data is WEIGHTS
    assert after.tensors[op.inputs[2]].shape == (2,)


def test_a_row_of_additions_becomes_one_bias_and_stops_before_a_scale():
    builder, d = dense(True)
    c = builder.constant("c", VECTOR)
    twice = builder.add(Add(), [c, builder.add(Add(), [d, c], "once")], "twice")
    y = builder.add(Mul(), [twice, c], "y")
    after = rewrite(builder.finish({"y": y}), FuseBias())
    assert [op.output for op in after.ops] == ["twice", "y"]


@pytest.mark.parametrize("case", ["clamped", "needed elsewhere", "too large"])
def test_left_alone(case):
    builder, d = dense(True, Activation.RELU if case == "clamped" else Activation.NONE)
    constant = np.ones((4, 2) if case == "too large" else 2, np.float32)
    if case == "too large":  # the addition broadcasts (1, 2) up to (4, 2)
        builder = GraphBuilder("m")
        x = builder.input("x", (1, 3))
        d = builder.add(FullyConnected(), [x, builder.constant("k", WEIGHTS)], "d")
    y = builder.add(Add(), [d, builder.constant("c", constant)], "y")
    outputs = {"y": y, "d": d} if case == "needed elsewhere" else {"y": y}
    graph = builder.finish(outputs)
    assert FuseBias()(graph) is graph
    assert kinds(graph) == ["fully_connected", "add"]
