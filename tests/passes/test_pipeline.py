import numpy as np
from support.rewriting import kinds, rewrite

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.operator import Activation, Padding
from edgenn.ir.ops import (
    Add,
    Concatenation,
    Conv2D,
    DepthwiseConv2D,
    ExpandDims,
    FullyConnected,
    MaxPool2D,
    Mean,
    Mul,
    Pad,
    Relu,
    Relu6,
    Reshape,
    Squeeze,
)
from edgenn.passes import pipeline, simplify


class Net:
    """Writes layers as the frontend does, with seeded random weights."""

    def __init__(self, *shape):
        self.rng = np.random.default_rng(6)
        self.builder = GraphBuilder("net")
        self.x = self.builder.input("x", (None, *shape))

    def normal(self, *shape):
        return self.rng.normal(0, 0.5, shape).astype(np.float32)

    def add(self, operator, name, *constants, x=None):
        inputs = [x or self.x] + [
            self.builder.constant(f"{name}/c{i}", c) for i, c in enumerate(constants)
        ]
        self.x = self.builder.add(operator, inputs, name)
        return self.x

    def conv_1d(self, name, filters):
        depth = self.builder.tensor(self.x).shape[-1]
        self.add(ExpandDims(1), f"{name}/expand")
        self.add(Conv2D(padding=Padding.SAME), f"{name}/conv2d", self.normal(filters, 1, 3, depth))
        self.add(Squeeze((1,)), name)

    def batch_norm(self, name):
        channels = self.builder.tensor(self.x).shape[-1]
        self.add(Mul(), f"{name}/scaled", self.normal(channels))
        return self.add(Add(), name, self.normal(channels))

    def finish(self):
        return self.builder.finish({"y": self.x})


def test_a_mobilenet_block_is_one_op_a_convolution():
    net = Net(8, 8, 4)
    net.add(Conv2D(), "expand", net.normal(8, 1, 1, 4))
    net.batch_norm("expand_bn")
    net.add(Relu6(), "expand_relu")
    net.add(Pad(((0, 0), (0, 1), (0, 1), (0, 0))), "pad")
    net.add(DepthwiseConv2D(strides=(2, 2)), "depthwise", net.normal(1, 3, 3, 8))
    net.batch_norm("depthwise_bn")
    net.add(Relu6(), "depthwise_relu")
    net.add(Conv2D(), "project", net.normal(4, 1, 1, 8))
    shortcut = net.batch_norm("project_bn")
    net.add(Conv2D(), "next", net.normal(4, 1, 1, 4))
    y = net.batch_norm("next_bn")
    net.x = net.builder.add(Add(), [shortcut, y], "sum")
    after = rewrite(net.finish(), simplify)
    assert [op.output for op in after.ops] == [
        "expand_relu", "depthwise_relu", "project_bn", "next_bn", "sum"
    ]  # fmt: skip
    assert after.ops[1].operator.padding is Padding.SAME
    assert [op.operator.activation for op in after.ops[:3]] == [
        Activation.RELU6, Activation.RELU6, Activation.NONE
    ]  # fmt: skip


def test_a_1d_network_is_reshaped_at_its_ends_only():
    net = Net(16, 3)
    for i in range(3):
        net.conv_1d(f"conv{i}", 4)
        net.batch_norm(f"bn{i}")
        shortcut = net.add(Relu(), f"relu{i}")
        net.conv_1d(f"second{i}", 4)
        net.x = net.builder.add(Add(), [shortcut, net.x], f"sum{i}")
        net.add(ExpandDims(1), f"pool{i}/expand")
        net.add(MaxPool2D((1, 2), (1, 2)), f"pool{i}/pool")
        net.add(Squeeze((1,)), f"pool{i}")
    net.add(Reshape((-1, 8)), "flatten")
    net.add(FullyConnected(), "dense", net.normal(2, 8))
    after = rewrite(net.finish(), simplify)
    block = ["conv_2d", "conv_2d", "add", "max_pool_2d"]
    assert kinds(after) == ["expand_dims", *block * 3, "reshape", "fully_connected"]
    # the layers' names stay although their reshapes went
    assert {"relu0", "second0", "sum0", "pool0", "sum2"} <= after.tensors.keys()


def test_batch_norm_without_weights_before_it_stays_a_mul_and_an_add():
    net = Net(8, 8, 4)
    first = net.add(Conv2D(), "conv", net.normal(4, 1, 1, 4))
    net.x = net.builder.add(Concatenation(3), [first, "x"], "concat")
    net.batch_norm("bn")
    net.add(Relu(), "relu")
    net.add(Conv2D(padding=Padding.SAME), "last", net.normal(4, 3, 3, 8))
    net.add(Mean((1, 2)), "mean")
    after = rewrite(net.finish(), simplify)
    assert kinds(after) == ["conv_2d", "concatenation", "mul", "add", "conv_2d", "mean"]
    assert after.producers["relu"].operator == Add(Activation.RELU)


def test_a_graph_with_nothing_to_do_takes_one_round(monkeypatch):
    net = Net(8, 8, 4)
    net.add(Conv2D(), "conv", net.normal(4, 1, 1, 4))
    calls = []

    class Counting(pipeline.RemoveIdentities):
        def __call__(self, graph):
            calls.append(graph)
            return super().__call__(graph)

    monkeypatch.setattr(pipeline, "PASSES", (Counting(),))
    simplify(net.finish())
    assert len(calls) == 1


def test_every_pass_has_a_name_of_its_own_and_lists_its_rules():
    names = [pass_.name for pass_ in pipeline.PASSES]
    assert len(set(names)) == len(names)
    for pass_ in pipeline.PASSES:
        assert type(pass_).__module__ == f"edgenn.passes.{pass_.name}"
        assert "Rules:" in type(pass_).__doc__
