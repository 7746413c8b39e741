"""Programs made by hand, and those of graphs, for tests of placement."""

from typing import Any

from edgenn.export.onnx.exporter import to_onnx
from edgenn.export.tflite.exporter import to_tflite
from edgenn.ir.graph import Graph
from edgenn.placement import Program, program_of
from edgenn.placement.program import Node, Section, Value
from edgenn.placement.quantities import FUNCTIONS, Answer, Asked


def value(name: str, *shape: int | None, dtype: str = "int8", **more: Any) -> Value:
    return Value(name, shape, dtype, **more)


def program(
    nodes: list[tuple[str, list[Value], list[Value]]], inputs: list[Value], outputs: list[Value]
) -> Program:
    """One section, of ops that need no attributes."""
    made = tuple(Node(kind, tuple(reads), tuple(makes)) for kind, reads, makes in nodes)
    return Program("tflite", (Section("main", tuple(inputs), tuple(outputs), made),))


def tflite_of(graph: Graph) -> Program:
    return program_of(to_tflite(graph), "tflite")


def onnx_of(graph: Graph) -> Program:
    return program_of(to_onnx(graph), "onnx")


def ask(graph: Graph, name: str, kind: str | None = None) -> Answer:
    """A quantity of the op of that kind, or the only one, in the graph's .tflite."""
    (node,) = (n for n, _ in tflite_of(graph).nodes if kind is None or n.kind == kind)
    return FUNCTIONS[name](Asked(node))
