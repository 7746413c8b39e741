"""Recurrent graphs in integers: LiteRT's reference kernels give what NumPy gives, bit for bit.

Loops, copies of the cell and the fused LSTM, with gates of 16 and 8 bits.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.integer_networks import (
    assert_exact,
    computes_in_integers,
    in_integers,
    in_numpy,
    real,
)
from support.recurrent import (
    activation,
    add_recurrent,
    recurrent_graph,
    recurrent_inputs,
    with_activations,
)

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph
from edgenn.ir.ops import Concatenation, FullyConnected, Gru, Lstm, Recurrent, Scan, SimpleRnn

STEPS = 5
CELLS: dict[str, Recurrent] = {
    "lstm": Lstm(units=4),
    "gru": Gru(units=4),
    "gru_reset_before": Gru(units=4, reset_after=False),
    "simple_rnn": SimpleRnn(units=4),
}
VARIANTS = {
    "plain": {},
    "reversed": {"reverse": True},
    "masked": {"masked": True},
    "masked_zeros_reversed": {"masked": True, "zero_output_for_mask": True, "reverse": True},
    "initial": {"initial": True},
}
INTEGERS = [
    ("int8", "int16"),
    ("int8", "int8"),
    ("int16x8", "int16"),
    ("int16x8", "int8"),
]
TOLERANCES = {"int16": 0.03, "int8": 0.08}
"""Of an output's range, over six steps; inputs of the int8 scheme have 8 bits."""


def samples_of(graph: Graph, batch: int = 24):
    return recurrent_inputs(graph, batch=graph_batch(graph) or batch, steps=STEPS)


def graph_batch(graph: Graph) -> int | None:
    return next(graph.input_tensors()).shape[0]


def assert_near(graph: Graph, integers: Graph, inputs, results, tolerance: float) -> None:
    """The integers stand for about what the float graph gives."""
    expected = in_numpy(graph, inputs)
    for name, values in real(integers, results).items():
        limit = tolerance * max(np.ptp(expected[name]), 0.5)
        np.testing.assert_allclose(values, expected[name], rtol=0, atol=limit, err_msg=name)


@pytest.mark.parametrize(("scheme", "precision"), INTEGERS)
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", CELLS)
def test_loops_and_copies(name, variant, scheme, precision):
    """Exact, near to float, and the same integers in both forms."""
    graph = recurrent_graph(replace(CELLS[name], **VARIANTS[variant]), steps=STEPS)
    inputs = samples_of(graph)
    results = []
    for form in ("loop", "unrolled"):
        integers = in_integers(graph, inputs, form, scheme, precision)
        assert computes_in_integers(integers)
        results.append(assert_exact(integers, inputs))
        assert_near(graph, integers, inputs, results[-1], TOLERANCES[precision])
    for name_ in results[0]:
        np.testing.assert_array_equal(*(result[name_] for result in results))


@pytest.mark.parametrize("scheme", ["int8", "int16x8"])
@pytest.mark.parametrize("name", CELLS)
def test_float_gates_are_the_same_in_both_forms(name, scheme):
    """What crosses the border of the layer is integers; at most a step lies between the forms."""
    graph = recurrent_graph(replace(CELLS[name], masked=True), steps=STEPS)
    inputs = samples_of(graph)
    loop, copies = (in_integers(graph, inputs, f, scheme, "float32") for f in ("loop", "unrolled"))
    results = [in_numpy(integers, inputs) for integers in (loop, copies)]
    for public, values in results[0].items():
        assert values.dtype == scheme.removesuffix("x8")
        assert np.abs(values.astype(int) - results[1][public]).max() <= 1
    assert_near(graph, loop, inputs, results[0], 0.02)


@pytest.mark.parametrize("precision", ["int16", "int8"])
@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_long_loops_in_blocks(name, precision, monkeypatch):
    monkeypatch.setattr("edgenn.lowering.recurrent.blocks.WORTH_BYTES", 0)
    graph = recurrent_graph(replace(CELLS[name], masked=True), steps=70, outputs=("sequence", "h"))
    inputs = recurrent_inputs(graph, batch=3, steps=70)
    loop, copies = (
        in_integers(graph, inputs, form, "int8", precision) for form in ("loop", "unrolled")
    )
    scans = [op.operator for op in loop.ops if isinstance(op.operator, Scan)]
    assert any(isinstance(op.operator, Scan) for scan in scans for op in scan.cell.ops)
    results = assert_exact(loop, inputs)
    for public, values in in_numpy(copies, inputs).items():
        np.testing.assert_array_equal(results[public], values)


@pytest.mark.parametrize("variant", [v for v in VARIANTS if v != "initial"])
@pytest.mark.parametrize("outputs", [("sequence", "h"), ("h",)], ids=str)
def test_fused(variant, outputs):
    operator = replace(CELLS["lstm"], **VARIANTS[variant])
    graph = recurrent_graph(operator, outputs=outputs)
    inputs = samples_of(graph)
    integers = in_integers(graph, inputs, "fused")
    assert computes_in_integers(integers)
    assert_near(graph, integers, inputs, assert_exact(integers, inputs), 0.05)


SIZES = [(None, None), (3, STEPS), (None, STEPS), (3, None)]


@pytest.mark.parametrize("form", ["loop", "fused"])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_open_and_fixed_sizes(sizes, form):
    batch, steps = sizes
    operator = replace(CELLS["lstm"], masked=True)
    graph = recurrent_graph(operator, batch=batch, steps=steps, outputs=("sequence", "h"))
    precision = "auto" if form == "fused" else "int16"
    integers = in_integers(graph, samples_of(graph), form, precision=precision)
    for count, length in ((batch or 1, steps or 1), (batch or 7, steps or 9)):
        assert_exact(integers, recurrent_inputs(graph, batch=count, steps=length))


def network(form: str, masked: bool) -> Graph:
    """Two directions side by side, a second layer behind them, a dense layer at the end."""
    builder = GraphBuilder("network")
    x = builder.input("x", (None, None if form == "loop" else STEPS, 3))
    mask = [builder.input("mask", builder.tensors[x].shape[:2], "bool")] if masked else []
    both = []
    for reverse in (False, True):
        operator = Lstm(units=4, reverse=reverse, masked=masked)
        both.append(add_recurrent(builder, operator, x, mask, scope=f"first_{reverse}")[0])
    joined = builder.add(Concatenation(-1), both, "joined")
    second = Lstm(units=3, masked=masked) if form == "fused" else Gru(units=3, masked=masked)
    sequence, last, *_ = add_recurrent(builder, second, joined, mask, scope="second", seed=1)
    kernel = np.random.default_rng(2).uniform(-1, 1, (2, 3)).astype("float32")
    y = builder.add(FullyConnected(), [last, builder.constant("dense/kernel", kernel)], "dense")
    return builder.finish({"sequence": sequence, "y": y})


FORMS = [
    ("fused", "int8", "auto"),
    *((form, *integers) for form in ("loop", "unrolled") for integers in INTEGERS),
]


@pytest.mark.parametrize("masked", [False, True], ids=["all", "masked"])
@pytest.mark.parametrize(("form", "scheme", "precision"), FORMS)
def test_networks(form, masked, scheme, precision):
    graph = network(form, masked)
    inputs = samples_of(graph)
    integers = in_integers(graph, inputs, form, scheme, precision)
    assert computes_in_integers(integers)
    assert_near(graph, integers, inputs, assert_exact(integers, inputs), 0.1)


ACTIVATIONS = [
    ("tanh",),
    ("sigmoid",),
    ("relu",),
    ("linear",),
    ("elu", 1.0),
    ("leaky_relu", 0.2),
    ("softsign",),
    ("hard_sigmoid", 1 / 6, 0.5),
]


@st.composite
def cases(draw: st.DrawFn):
    """A graph, its form and its integers."""
    cell = draw(st.sampled_from(sorted(CELLS)))
    operator = replace(
        CELLS[cell],
        units=draw(st.integers(1, 9)),
        reverse=draw(st.booleans()),
        masked=draw(st.booleans()),
        initial=draw(st.booleans()),
        zero_output_for_mask=draw(st.booleans()),
    )
    inner, gates = (activation(*draw(st.sampled_from(ACTIVATIONS))) for _ in range(2))
    names = ("sequence", *operator.state_names)
    outputs = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    graph = recurrent_graph(
        with_activations(operator, inner, gates),
        batch=draw(st.sampled_from([None, 1, 3])),
        steps=draw(st.integers(1, 6)),
        features=draw(st.integers(1, 6)),
        outputs=tuple(outputs),
    )
    return graph, draw(st.sampled_from(["loop", "unrolled"])), *draw(st.sampled_from(INTEGERS))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(cases(), st.integers(0, 2**16))
def test_random_cells(case, seed):
    graph, form, scheme, precision = case
    integers = in_integers(graph, recurrent_inputs(graph, seed=seed), form, scheme, precision)
    assert computes_in_integers(integers)
    assert_exact(integers, recurrent_inputs(graph, seed=seed + 1))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.data())
def test_random_fused(data):
    operator = Lstm(
        units=data.draw(st.integers(1, 9)),
        reverse=data.draw(st.booleans()),
        masked=data.draw(st.booleans()),
        zero_output_for_mask=data.draw(st.booleans()),
    )
    graph = recurrent_graph(
        operator,
        batch=data.draw(st.sampled_from([None, 1, 3])),
        steps=data.draw(st.sampled_from([None, 1, 6])),
        features=data.draw(st.integers(1, 6)),
        outputs=data.draw(st.sampled_from([("sequence",), ("h",), ("h", "sequence")])),
    )
    inputs = recurrent_inputs(graph, seed=data.draw(st.integers(0, 2**16)))
    integers = in_integers(graph, inputs, "fused")
    assert_exact(integers, recurrent_inputs(graph, seed=5))
