"""Stateful models: their graphs for whole sequences, whatever they take in one call."""

from typing import Any, Final

from edgenn.errors import UnsupportedError
from edgenn.ir.graph import Graph
from edgenn.ir.operator import ShapeError
from edgenn.ir.stepping import step_of
from edgenn.lowering.recurrent.forms import Form, lowered
from edgenn.passes import simplify
from edgenn.plan import STATEFUL

STEPS_A_CALL: Final = "steps_a_call"
"""Key of ``Graph.metadata``: how many steps a model takes at once whose graph takes any number."""


def graph_of_sequences(model: Any, graph: Graph, *, batch: int | None = None) -> Graph:
    """A stateful model's graph for sequences of any length, where it can have one.

    Such a model is called with a fixed number of steps, often 1, that go on where the last call
    ended. What it does to whole sequences is what its files are calibrated and checked with.

    Args:
        graph: Of the model as it is.
    """
    from edgenn.frontend import capture

    fixed = fixed_time(graph)
    if not fixed:
        return graph
    try:
        opened = simplify(capture(model, name=graph.name, batch=batch, opened=fixed))
        lowered(opened, Form.STEP)
    except (UnsupportedError, ShapeError):
        return graph
    public, axis = next(iter(fixed.items()))
    steps = graph.tensors[graph.inputs[public]].shape[axis]
    return opened.with_(metadata={**opened.metadata, STEPS_A_CALL: steps})


def fixed_time(graph: Graph) -> dict[str, int]:
    """Public name of an input of a stateful model → axis of time, where its size is fixed."""
    if not graph.metadata.get(STATEFUL):
        return {}
    try:
        step = step_of(lowered(graph, Form.STEP))
    except UnsupportedError:
        return {}
    axes = {} if step is None else step.inputs
    return {
        public: axis
        for public, axis in axes.items()
        if graph.tensors[graph.inputs[public]].shape[axis] is not None
    }
