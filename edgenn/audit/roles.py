"""What the inputs of a model are: real numbers, or ids that look up rows of tables."""

from edgenn.ir.graph import Graph
from edgenn.ir.operator import Operator
from edgenn.ir.ops.conversion import Cast


def real_inputs(graph: Graph) -> list[str]:
    """Public names of the inputs whose values are measured, not counted.

    Keras gives ids as real numbers where nobody says otherwise; they become integers at once.
    """
    return [public for public, name in graph.inputs.items() if is_real(graph, name)]


def is_real(graph: Graph, name: str) -> bool:
    if not graph.tensors[name].dtype.startswith("float"):
        return False
    readers = graph.consumers[name]
    return not readers or not all(makes_integers(op.operator) for op in readers)


def makes_integers(operator: Operator) -> bool:
    return isinstance(operator, Cast) and not operator.dtype.startswith("float")
