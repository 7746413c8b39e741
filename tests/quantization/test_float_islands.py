"""Ops that stay in float among integers."""

from support.recurrent import recurrent_graph, recurrent_inputs

from edgenn.compiler import calibrated, quantized
from edgenn.ir.ops.recurrent import Gru
from edgenn.lowering.recurrent.loop import to_loops
from edgenn.lowering.recurrent.step import to_step
from edgenn.quantization.schemes import Scheme


def integer_graph():
    """A GRU with a mask, given states and a last output; its gates are in float."""
    operator = Gru(units=4, masked=True, initial=True)
    graph = to_loops(recurrent_graph(operator, steps=5, outputs=["sequence", "h"]))
    inputs = recurrent_inputs(graph, steps=5)
    inputs["mask"][:] = True
    return quantized(graph, Scheme.INT8, calibrated(graph, inputs, [Scheme.INT8])[Scheme.INT8])


def test_ops_are_named_like_their_first_output():
    graph = integer_graph()
    assert [op.name for op in graph.ops] == [op.outputs[0] for op in graph.ops]
    assert any(op.kind == "scan" for op in graph.ops)


def test_a_loop_in_float_runs_step_by_step():
    outputs = to_step(integer_graph()).outputs
    assert {"sequence", "h"} < set(outputs)
    assert len(outputs) == 3
