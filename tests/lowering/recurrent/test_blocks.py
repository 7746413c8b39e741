"""Long loops in blocks: the same numbers in NumPy and in LiteRT."""

import pytest
from support.litert import DEFAULT, REFERENCE, run
from support.recurrent import assert_close, recurrent_graph, recurrent_inputs

from edgenn.ir.evaluator import evaluate
from edgenn.ir.ops import Gru, Lstm, Scan, SimpleRnn
from edgenn.lowering.recurrent import blocks
from edgenn.lowering.recurrent.blocks import in_blocks
from edgenn.lowering.recurrent.loop import to_loops

OPERATORS = {
    "lstm": Lstm(units=5),
    "gru": Gru(units=5),
    "reversed": Lstm(units=5, reverse=True),
    "initial": SimpleRnn(units=5, initial=True),
    "masked_reversed": Lstm(units=5, masked=True, reverse=True),
}


@pytest.fixture
def all_loops_are_long(monkeypatch):
    monkeypatch.setattr(blocks, "WORTH_BYTES", 1)
    monkeypatch.setattr(blocks, "SHORTEST", 4)


def values(graph, inputs):
    results = evaluate(graph, inputs)
    return {public: results[name] for public, name in graph.outputs.items()}


def depth(graph):
    """How many loops stand in each other."""
    cells = [op.operator.cell for op in graph.ops if isinstance(op.operator, Scan)]
    return max((1 + depth(cell) for cell in cells), default=0)


@pytest.mark.usefixtures("all_loops_are_long")
@pytest.mark.parametrize("batch", [None, 2], ids=["open", "fixed"])
@pytest.mark.parametrize("steps", [4, 9, 11])
@pytest.mark.parametrize("name", OPERATORS)
def test_equal_the_loop(name, steps, batch):
    graph = to_loops(recurrent_graph(OPERATORS[name], batch=batch, steps=steps))
    blocked = in_blocks(graph)
    assert depth(blocked) > 1
    assert [blocked.tensors[n].shape for n in blocked.outputs.values()] == [
        graph.tensors[n].shape for n in graph.outputs.values()
    ]
    inputs = recurrent_inputs(graph, steps=steps, batch=batch or 3)
    expected = values(graph, inputs)
    assert_close(values(blocked, inputs), expected, 0)
    for resolver in (DEFAULT, REFERENCE):
        assert_close(expected, run(blocked, inputs, resolver))


@pytest.mark.usefixtures("all_loops_are_long")
def test_very_long_loops_have_three_levels(monkeypatch):
    monkeypatch.setattr(blocks, "TWO_LEVELS", 20)
    graph = to_loops(recurrent_graph(Gru(units=3), steps=29))
    blocked = in_blocks(graph)
    assert depth(blocked) == 3
    assert in_blocks(blocked) is blocked
    inputs = recurrent_inputs(graph, steps=29)
    assert_close(values(graph, inputs), run(blocked, inputs, DEFAULT))


def test_short_loops_and_open_ones_stay():
    for steps in (49, None):
        graph = to_loops(recurrent_graph(Lstm(units=8), steps=steps))
        assert in_blocks(graph) is graph


def test_a_long_sequence_is_in_blocks():
    graph = to_loops(recurrent_graph(Lstm(units=64), steps=500, outputs=("sequence",)))
    assert depth(in_blocks(graph)) == 2
    only_last = to_loops(recurrent_graph(Lstm(units=64), steps=500, outputs=("h",)))
    assert in_blocks(only_last) is only_last
