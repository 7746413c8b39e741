"""How a loop reads its steps: microcontrollers gather float32 and int8 alone."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from support.integer_networks import in_integers, stored
from support.litert import run_bytes
from support.recurrent import recurrent_graph, recurrent_inputs

from edgenn.export.tflite.exporter import to_tflite
from edgenn.ir.ops import Gru
from edgenn.lowering.recurrent.loop import to_loops
from edgenn.passes import with_batch
from edgenn.runtime.tflite_file import parse_tflite

BUILTINS = schema.BuiltinOperator


def builtins_of(content: bytes) -> set[int]:
    return {use.builtin for use in parse_tflite(content, "net").operators}


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_int16_steps_are_sliced_where_all_sizes_are_fixed(reverse, masked):
    graph = recurrent_graph(Gru(units=4, reverse=reverse, masked=masked), steps=5)
    samples = recurrent_inputs(graph, batch=6, steps=5)
    integer = in_integers(graph, samples, "loop", "int16x8", "int16")
    open_, fixed = to_tflite(integer), to_tflite(with_batch(integer, 6))
    assert BUILTINS.SLICE not in builtins_of(open_)
    assert BUILTINS.SLICE in builtins_of(fixed)
    inputs = stored(integer, samples)
    expected, actual = (run_bytes(content, inputs) for content in (open_, fixed))
    for name in expected:
        np.testing.assert_array_equal(actual[name], expected[name])


def test_float_steps_are_gathered():
    graph = with_batch(recurrent_graph(Gru(units=4), steps=5), 1)
    builtins = builtins_of(to_tflite(to_loops(graph)))
    assert BUILTINS.GATHER in builtins and BUILTINS.SLICE not in builtins
