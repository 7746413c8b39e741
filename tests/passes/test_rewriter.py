import numpy as np
from support.rewriting import assert_well_formed, kinds

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph
from edgenn.ir.ops import Abs, Add, Exp, Relu, Split, Square
from edgenn.passes.rewriter import Rewriter


def chain() -> Graph:
    """x → a (abs) → b (exp) → c (square), b also an output."""
    builder = GraphBuilder("chain")
    x = builder.input("x", (None, 3))
    a = builder.add(Abs(), [x], "a")
    b = builder.add(Exp(), [a], "b")
    c = builder.add(Square(), [b], "c")
    return builder.finish({"b": b, "c": c})


def test_no_edit_gives_the_same_object():
    graph = chain()
    assert Rewriter(graph).finish() is graph


def test_knows_producers_readers_and_single_use():
    rewriter = Rewriter(chain())
    assert rewriter.producer("b").kind == "exp"
    assert rewriter.producer("x") is None
    assert [op.kind for op in rewriter.readers("b")] == ["square"]
    assert rewriter.is_single_use("a")
    assert not rewriter.is_single_use("b")  # the caller needs it as well
    assert rewriter.only_reader("a").output == "b"
    assert rewriter.only_reader("b") is None


def test_replaced_ops_that_nobody_reads_go():
    rewriter = Rewriter(chain())
    op = rewriter.producer("b")
    rewriter.replace(op, rewriter.make(Relu(), ["x"], "b"))
    assert rewriter.producer("a") is None
    after = rewriter.finish()
    assert_well_formed(after)
    assert kinds(after) == ["relu", "square"]
    assert "a" not in after.tensors


def test_one_op_may_become_several_in_its_place():
    rewriter = Rewriter(chain())
    first = rewriter.make(Relu(), ["a"], rewriter.unique("b/inner"))
    second = rewriter.make(Exp(), first.outputs, "b")
    rewriter.replace(rewriter.producer("b"), first, second)
    after = rewriter.finish()
    assert_well_formed(after)
    assert [op.output for op in after.ops] == ["a", "b/inner", "b", "c"]


def test_bypass_keeps_the_name_of_an_output():
    rewriter = Rewriter(chain())
    assert rewriter.bypass(rewriter.producer("b"), "a")
    after = rewriter.finish()
    assert_well_formed(after)
    assert [(op.kind, op.output) for op in after.ops] == [("abs", "b"), ("square", "c")]


def test_bypass_between_an_input_and_an_output_is_refused():
    builder = GraphBuilder("direct")
    y = builder.add(Abs(), [builder.input("x", (None, 3))], "y")
    graph = builder.finish({"y": y})
    rewriter = Rewriter(graph)
    assert not rewriter.bypass(rewriter.producer("y"), "x")
    assert rewriter.finish() is graph


def test_a_sweep_sees_the_edits_made_on_its_way():
    rewriter = Rewriter(chain())
    seen = []
    for op in rewriter.sweep():
        seen.append(op.inputs)
        if op.output == "a":
            rewriter.bypass(op, "x")
    assert seen == [("x",), ("x",), ("b",)]


def test_names_stay_unique_and_ops_with_several_outputs_stay_whole():
    builder = GraphBuilder("split")
    x = builder.input("x", (None, 4))
    first, second = builder.add_multiple(Split(1, (2, 2)), [x], ["a", "b"])
    y = builder.add(Add(), [first, second], "y")
    rewriter = Rewriter(builder.finish({"y": y}))
    assert rewriter.constant("a", np.ones(2)) == "a_1"
    rewriter.replace(rewriter.producer("y"), rewriter.make(Relu(), ["b"], "y"))
    after = rewriter.finish()
    assert_well_formed(after)
    assert after.ops[0].outputs == ("a", "b")


def test_a_constant_with_another_reader_is_not_overwritten():
    builder = GraphBuilder("shared")
    x = builder.input("x", (None, 2))
    c = builder.constant("c", np.ones(2, np.float32))
    y = builder.add(Add(), [x, c], "y")
    z = builder.add(Add(), [y, c], "z")
    rewriter = Rewriter(builder.finish({"z": z}))
    twos = np.full(2, 2, np.float32)
    assert rewriter.updated_constant("c", twos, rewriter.producer("y")) == "c_1"
    assert rewriter.value("c")[0] == 1
