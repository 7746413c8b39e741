import numpy as np
from support.rewriting import kinds, rewrite

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.ops import Add, BroadcastTo, Dequantize, Exp, Mul, Split, Sqrt
from edgenn.passes.fold_constants import MAX_GROWTH_BYTES, FoldConstants


def test_a_subgraph_of_constants_becomes_its_value():
    builder = GraphBuilder("m")
    x = builder.input("x", (None, 3))
    variance = builder.constant("variance", np.array([1, 4, 9], np.float32))
    epsilon = builder.constant("epsilon", np.float32(0))
    root = builder.add(Sqrt(), [builder.add(Add(), [variance, epsilon], "sum")], "root")
    y = builder.add(Mul(), [x, root], "y")
    after = rewrite(builder.finish({"y": y}), FoldConstants())
    assert kinds(after) == ["mul"]
    np.testing.assert_array_equal(after.tensors["root"].data, [1, 2, 3])


def test_scalars_keep_their_shape():
    builder = GraphBuilder("m")
    x = builder.input("x", (None, 3))
    one = builder.add(Exp(), [builder.constant("zero", np.float32(0))], "one")
    after = rewrite(builder.finish({"y": builder.add(Add(), [x, one], "y")}), FoldConstants())
    assert after.tensors["one"].shape == ()


def test_all_outputs_of_an_op_are_folded():
    builder = GraphBuilder("m")
    x = builder.input("x", (None, 2))
    c = builder.constant("c", np.arange(4, dtype=np.float32))
    a, b = builder.add_multiple(Split(0, (2, 2)), [c], ["a", "b"])
    y = builder.add(Add(), [builder.add(Mul(), [x, a], "scaled"), b], "y")
    assert kinds(rewrite(builder.finish({"y": y}), FoldConstants())) == ["mul", "add"]


def test_a_large_broadcast_stays_an_op():
    rows = MAX_GROWTH_BYTES // 4 // 8 + 2
    builder = GraphBuilder("m")
    x = builder.input("x", (rows, 8))
    c = builder.constant("c", np.ones((1, 8), np.float32))
    wide = builder.add(BroadcastTo((rows, 8)), [c], "wide")
    graph = builder.finish({"y": builder.add(Add(), [x, wide], "y")})
    assert FoldConstants()(graph) is graph


def test_outputs_and_changes_of_representation_stay():
    builder = GraphBuilder("m")
    x = builder.input("x", (None, 2))
    half = builder.constant("half", np.ones(2, np.float16))
    weights = builder.add(Dequantize(), [half], "weights")
    fixed = builder.add(Exp(), [builder.constant("c", np.ones(2, np.float32))], "fixed")
    y = builder.add(Add(), [x, weights], "y")
    graph = builder.finish({"y": y, "fixed": fixed})
    assert FoldConstants()(graph) is graph
