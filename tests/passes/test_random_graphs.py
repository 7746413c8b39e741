"""The whole pipeline on random graphs: branches, shared tensors, several outputs."""

import itertools

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.rewriting import random_inputs, results, rewrite

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.operator import Activation, Padding
from edgenn.ir.ops import (
    Add,
    AveragePool2D,
    Cast,
    Concatenation,
    Conv2D,
    DepthwiseConv2D,
    Div,
    ExpandDims,
    FullyConnected,
    LeakyRelu,
    Maximum,
    MaxPool2D,
    Mean,
    Minimum,
    Mul,
    Neg,
    Pad,
    Relu,
    Relu6,
    ReluN1To1,
    Reshape,
    Softmax,
    Split,
    Squeeze,
    StridedSlice,
    Sub,
    Tanh,
    Transpose,
)
from edgenn.passes import simplify

CLIPS = [*itertools.product([Maximum(), Minimum()], [0.0, 6.0, 1.0, -1.0]), (Minimum(), np.inf)]


class RandomGraph:
    """Adds one random op at a time to the tensors there are."""

    def __init__(self, draw, seed):
        self.draw = draw
        self.rng = np.random.default_rng(seed)
        self.builder = GraphBuilder("random")
        self.names = [self.builder.input("x", (None, 1, 6, 4)), self.builder.input("z", (None, 8))]

    def pick(self, options):
        return self.draw(st.sampled_from(options))

    def constant(self, *shape, low=-1.5):
        data = self.rng.uniform(low, 1.5, shape).astype(np.float32)
        return self.builder.constant("c", data)

    def step(self):
        x = self.names[-1] if self.pick([True, True, False]) else self.pick(self.names)
        shape = self.builder.tensor(x).shape
        choices = [self.unary, self.affine, self.clip, self.merge, self.move, self.dense]
        choices += [self.window, self.window] if len(shape) == 4 else []
        made = self.pick(choices)(x, shape)
        if made is not None:
            self.names.append(made)

    def add(self, operator, *inputs):
        return self.builder.add(operator, inputs, self.pick(["a", "a/inner", "b", "b/inner"]))

    def unary(self, x, shape):
        operators = [Relu(), Relu6(), ReluN1To1(), Tanh(), LeakyRelu(0.3), Neg(), Softmax()]
        return self.add(self.pick([*operators, Cast("float32")]), x)

    def affine(self, x, shape):
        kind = self.pick([Add, Mul, Sub, Div])
        size = self.pick([(), (1,), shape[-1:], (1,) * (len(shape) - 1) + shape[-1:], shape[1:]])
        neutral = {Add: 0, Sub: 0, Mul: 1, Div: 1}[kind]
        if self.pick([False, False, True]):
            c = self.builder.constant("c", np.full(size, neutral, np.float32))
        else:
            c = self.constant(*size, low=0.5 if kind is Div else -1.5)
        operator = kind(activation=self.pick([Activation.NONE, Activation.NONE, Activation.RELU]))
        swap = kind is not Div and self.pick([False, True])
        return self.add(operator, *((c, x) if swap else (x, c)))

    def clip(self, x, shape):
        operator, limit = self.pick(CLIPS)
        return self.add(operator, x, self.builder.constant("limit", np.float32(limit)))

    def merge(self, x, shape):
        others = [name for name in self.names if self.builder.tensor(name).shape == shape]
        other = self.pick(others)
        return self.add(
            self.pick([Add(), Mul(), Maximum(), Concatenation(len(shape) - 1)]), x, other
        )

    def move(self, x, shape):
        rank = len(shape)
        sizes = tuple(-1 if size is None else size for size in shape)
        options = [Reshape(sizes), Reshape((-1, int(np.prod(sizes[1:])))), Pad(((0, 0),) * rank)]
        options += [Transpose((0, *self.draw(st.permutations(range(1, rank)))))]
        options += [StridedSlice((None,) * rank, (None,) * rank, (1,) * rank)]
        options += [Mean(tuple(range(1, rank - 1)), keep_dims=self.pick([False, True]))]
        options += [Squeeze((axis,)) for axis in range(1, rank) if shape[axis] == 1 and rank > 2]
        options += [ExpandDims(axis) for axis in range(1, rank) if rank < 4]
        if sizes[-1] % 2 == 0 and self.pick([False, True]):
            halves = Split(rank - 1, (sizes[-1] // 2,) * 2)
            self.names += self.builder.add_multiple(halves, [x], ["a", "b"])
            return None
        if sizes[-1] % 2 == 0 and rank < 4:
            options += [Reshape((*sizes[:-1], sizes[-1] // 2, 2))]
        return self.add(self.pick(options), x)

    def dense(self, x, shape):
        bias = [self.constant(3)] if self.pick([False, True]) else []
        return self.add(FullyConnected(), x, self.constant(3, shape[-1]), *bias)

    def window(self, x, shape):
        _, height, width, depth = shape
        if height < 1 or width < 3 or depth > 12:
            return None
        stride = self.pick([1, 2])
        padding = self.pick(list(Padding))
        if self.pick([False, True]):
            x = self.add(Pad(((0, 0), (0, 0), self.pick([(1, 1), (0, 1)]), (0, 0))), x)
        bias = [self.constant(depth)] if self.pick([False, True]) else []
        match self.pick(["conv", "depthwise", "max", "average"]):
            case "conv":
                kernel = self.constant(depth, 1, 3, depth)
                return self.add(Conv2D((stride, stride), padding=padding), x, kernel, *bias)
            case "depthwise":
                kernel = self.constant(1, 1, 3, depth)
                operator = DepthwiseConv2D((stride, stride), padding=padding)
                return self.add(operator, x, kernel, *bias)
            case "max":
                return self.add(MaxPool2D((1, 2), (1, stride), padding), x)
            case _:
                return self.add(AveragePool2D((1, 2), (1, stride), padding), x)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data(), steps=st.integers(1, 16), seed=st.integers(0, 1000))
def test_the_results_stay(data, steps, seed):
    graph = RandomGraph(data.draw, seed)
    for _ in range(steps):
        graph.step()
    outputs = {"last": graph.names[-1]}
    if data.draw(st.booleans()):
        outputs["other"] = data.draw(st.sampled_from(graph.names))
    finished = graph.builder.finish(outputs)
    with np.errstate(over="ignore", invalid="ignore"):
        values = results(finished, random_inputs(finished)).values()
    assume(all(np.isfinite(value).all() for value in values))  # products of products overflow
    simplified = rewrite(finished, simplify, tolerance=1e-4)
    assert len(simplified.ops) <= len(finished.ops)
