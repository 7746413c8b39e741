import pytest
from support.rewriting import kinds, rewrite

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.ops import Abs, ExpandDims, Mean, ReduceMax, Reshape, Squeeze, Sum
from edgenn.passes.fuse_reduction_shapes import FuseReductionShapes


def model(*steps, shape=(None, 1, 6, 3), outputs=()):
    builder = GraphBuilder("m")
    x = builder.add(Abs(), [builder.input("x", shape)], "start")
    for i, operator in enumerate(steps):
        x = builder.add(operator, [x], f"step{i}")
    return builder.finish({"y": x} | {name: name for name in outputs})


FUSED = [
    ([Mean((1, 2)), Reshape((-1, 1, 1, 3))], Mean((1, 2), keep_dims=True)),
    ([ReduceMax((2,)), ExpandDims(2)], ReduceMax((2,), keep_dims=True)),
    ([Mean((1, 2), keep_dims=True), Reshape((-1, 3))], Mean((1, 2))),
    ([Sum((2,), keep_dims=True), Squeeze((2,))], Sum((2,))),
    ([Squeeze((1,)), Mean((1,))], Mean((1, 2))),
    ([Reshape((-1, 6, 3)), ReduceMax((1, 2))], ReduceMax((1, 2, 3))),
]


@pytest.mark.parametrize(("steps", "expected"), FUSED)
def test_one_reduction_does_it(steps, expected):
    after = rewrite(model(*steps), FuseReductionShapes())
    assert [op.operator for op in after.ops[1:]] == [expected]


LEFT = [
    [Mean((1, 2)), Reshape((-1, 1, 3))],
    [Reshape((-1, 18)), Mean((1,))],
    [Squeeze((1,)), Mean((1,), keep_dims=True)],
    [Reshape((-1, 3, 6)), Mean((1,))],
]


@pytest.mark.parametrize("steps", LEFT)
def test_left_alone(steps):
    graph = model(*steps)
    assert FuseReductionShapes()(graph) is graph


def test_a_reduction_that_is_needed_in_its_shape_stays():
    graph = model(Mean((1, 2)), Reshape((-1, 1, 1, 3)), outputs=["step0"])
    assert FuseReductionShapes()(graph) is graph
    graph = model(Squeeze((1,)), Mean((1,)), outputs=["step0"])
    after = rewrite(graph, FuseReductionShapes())
    assert kinds(after) == ["abs", "squeeze", "mean"]  # now side by side
