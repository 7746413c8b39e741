"""The dtype of inputs and outputs; what is handed from step to step keeps its own."""

import numpy as np
import pytest
from support.recurrent import recurrent_graph

from edgenn import compiler
from edgenn.ir.ops import Lstm
from edgenn.ir.stepping import step_of
from edgenn.lowering.recurrent.forms import Form
from edgenn.plan import Build
from edgenn.quantization.schemes import Gates, Scheme
from edgenn.writing import graph_of_border

X = np.random.default_rng(0).normal(size=(8, 6, 3)).astype(np.float32)


@pytest.mark.parametrize("gates", [Gates.INT8, Gates.INT16, Gates.FLOAT32])
@pytest.mark.parametrize("io", [None, "int8", "uint8", "float32"])
def test_states_keep_their_integers(gates, io):
    graph = recurrent_graph(Lstm(units=4), outputs=("sequence",))
    build = Build(Scheme.INT8, "tflite", Form.STEP, gates)
    options = compiler.QuantizationOptions()
    seen = compiler.calibrations(graph, {"x": X}, [build], options)
    built = compiler.built(graph, build, seen, options, io)
    border = graph_of_border(built, "tflite", Scheme.INT8, io)
    own = [border.tensors[border.inputs["x"]], border.tensors[border.outputs["sequence"]]]
    assert [tensor.dtype for tensor in own] == [io or "int8"] * 2
    info = step_of(border)
    assert info is not None and len(info.states) == 2
    for state in info.states:
        before = border.tensors[border.inputs[state.input]]
        after = border.tensors[border.outputs[state.output]]
        assert before.dtype == after.dtype == str(gates)
        assert before.quantization == after.quantization
