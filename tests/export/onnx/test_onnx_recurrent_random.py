"""Random stacks of recurrent layers: whatever the combination, ONNX Runtime equals NumPy."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.onnx_files import checked, kinds, run
from support.recurrent import (
    activation,
    add_recurrent,
    assert_close,
    recurrent_inputs,
    with_activations,
)

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.evaluator import evaluate
from edgenn.ir.ops import Add, Concatenation, Gru, Lstm, Reverse, SimpleRnn
from edgenn.lowering.recurrent.native import to_native
from edgenn.quantization.weights import to_dynamic, to_float16

GATES = [("sigmoid",), ("hard_sigmoid", 0.2, 0.5), ("softsign",)]
CELLS = [("tanh",), ("relu",), ("softsign",), ("elu", 1.0), ("custom",)]
BASES = [Lstm(), Gru(), Gru(reset_after=False), SimpleRnn()]


@st.composite
def operators(draw, masked: bool):
    operator = with_activations(
        draw(st.sampled_from(BASES)),
        activation(*draw(st.sampled_from(CELLS))),
        activation(*draw(st.sampled_from(GATES))),
    )
    return replace(
        operator,
        units=draw(st.integers(1, 5)),
        masked=masked,
        # with a mask the outputs before the first step are another matter
        initial=not masked and draw(st.booleans()),
        zero_output_for_mask=draw(st.booleans()),
        reverse=draw(st.booleans()),
    )


def add_layer(draw, builder: GraphBuilder, x: str, masks: list[str], scope: str) -> list[str]:
    """One direction or both; the sequence, then final states."""
    operator = draw(operators(bool(masks)))
    pair = [operator]
    if draw(st.booleans()):
        pair.append(replace(operator, reverse=not operator.reverse))
    made = []
    for index, one in enumerate(pair):
        name = f"{scope}_{index}"
        batch = builder.tensors[x].shape[0]
        states = [
            builder.input(f"{name}_{state}0", (batch, one.units))
            for state in (one.state_names if one.initial else ())
        ]
        made.append(add_recurrent(builder, one, x, [*states, *masks], scope=name, seed=index))
    sequences = [outputs[0] for outputs in made]
    states = [state for outputs in made for state in outputs[1:]]
    if len(pair) == 1:
        return [*sequences, *states]
    merge = draw(st.sampled_from([Concatenation(-1), Add()]))
    return [builder.add(merge, sequences, f"{scope}_merged"), *states]


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_random_stacks(data):
    draw = data.draw
    batch, steps = draw(st.sampled_from([(None, None), (None, 4), (1, 4), (3, None), (None, 1)]))
    builder = GraphBuilder("stack")
    x = builder.input("x", (batch, steps, draw(st.integers(1, 4))))
    masks = [builder.input("mask", (batch, steps), "bool")] if draw(st.booleans()) else []
    outputs = {}
    for layer in range(draw(st.integers(1, 3))):
        x, *states = add_layer(draw, builder, x, masks, f"layer_{layer}")
        if draw(st.booleans()):
            x = builder.add(Reverse((1,)), [x], f"reversed_{layer}")
        outputs.update({state: state for state in states if draw(st.booleans())})
    graph = builder.finish({**outputs, "y": x})
    graph = draw(st.sampled_from([lambda graph: graph, to_float16, to_dynamic]))(graph)
    sizes = {"batch": batch or 3, "steps": steps or 5}
    inputs = recurrent_inputs(graph, **sizes, seed=draw(st.integers(0, 99)))
    results = evaluate(graph, inputs)
    expected = {public: results[name] for public, name in graph.outputs.items()}
    # squares in a cell may grow beyond what float32 adds up alike
    if all(np.abs(array).max() < 1e3 for array in expected.values()):
        native = to_native(graph)
        assert_close(expected, run(native, inputs), 1e-4)
        assert "Loop" not in kinds(checked(native))
