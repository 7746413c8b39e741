"""What a graph that runs one step of a sequence knows about itself."""

from edgenn.ir.graph import Graph
from edgenn.runtime.step_info import StepInfo

STEP = "step"
"""Key of ``Graph.metadata``."""


def step_of(graph: Graph) -> StepInfo | None:
    """How its steps follow each other; ``None`` for a graph that runs over whole sequences."""
    return graph.metadata.get(STEP)


def with_step(graph: Graph, info: StepInfo) -> Graph:
    return graph.with_(metadata={**graph.metadata, STEP: info})
