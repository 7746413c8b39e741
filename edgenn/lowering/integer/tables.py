"""Puts functions of one real tensor into one operator each, which int8 graphs look up in a table.

A tensor's *source* is the tensor furthest up the graph of which it is a function, element by
element. ``log(1 + exp(-|x|)) + relu(x)`` is a function of ``x`` however many paths lead there.
"""

from collections.abc import Callable

from edgenn.ir import ops
from edgenn.ir.graph import Graph, Op, rewritten
from edgenn.ir.operator import Operator
from edgenn.ir.ops.comparison import Comparison
from edgenn.ir.ops.elementwise import Binary, Unary
from edgenn.ir.ops.function import ElementwiseFunction, Operand, Scalar, Step

LONGEST_CHAIN = 3
"""Ops that run as they are: a table costs as many (CAST, ADD, GATHER)."""

ELEMENTWISE: tuple[type[Operator], ...] = (Unary, Binary, ops.Select, ops.Cast)
NOT_ELEMENTWISE: tuple[type[Operator], ...] = (ops.LogSoftmax,)
UNTRUSTWORTHY: tuple[type[Operator], ...] = (Comparison, ops.Sqrt, ops.Rsqrt, ops.Elu)
"""LiteRT's comparisons refuse scales from 1 on and see no difference below 1/256; its roots stop
at negative numbers; its reference kernels lack ELU."""


def with_tables(graph: Graph, chosen: Callable[[Op], bool]) -> Graph:
    """The graph with a function wherever kernels are missing, not to be trusted or many.

    Args:
        chosen: Which ops may become functions: those in int8.

    The same object comes back where there is none.
    """
    sources = Sources(graph, chosen)
    needed = set(graph.outputs.values())
    functions: dict[str, Op] = {}
    for op in reversed(graph.ops):
        if needed.isdisjoint(op.outputs):
            continue
        function = sources.function(op)
        if function is not None:
            functions[op.name] = function
        needed.update((function or op).inputs)
    if not functions:
        return graph
    return rewritten(graph, graph.tensors, [functions.get(op.name, op) for op in graph.ops])


class Sources:
    """For each tensor the nearest tensor above of which it is a function."""

    def __init__(self, graph: Graph, chosen: Callable[[Op], bool]) -> None:
        self._graph = graph
        self._above: dict[str, str] = {}
        self._place = {op.name: index for index, op in enumerate(graph.ops)}
        for op in graph.ops:
            if chosen(op) and is_elementwise(op):
                self._find(op)

    def function(self, op: Op) -> Op | None:
        """``op`` as a function of its source, if it is one and that is better in a table."""
        if op.outputs[0] not in self._above:
            return None
        *_, source = self._line(op.output)
        chain = self._between(source, op)
        if not worth_a_table(chain):
            return None
        operator = ElementwiseFunction(self._steps(source, chain))
        return Op(op.name, operator, (source,), op.outputs)

    def _find(self, op: Op) -> None:
        """The nearest tensor on the lines of all inputs, if every one is of its shape."""
        graph = self._graph
        inputs = [name for name in dict.fromkeys(op.inputs) if not self._is_scalar(name)]
        shape = graph.tensors[op.output].shape
        if not inputs or any(graph.tensors[name].shape != shape for name in inputs):
            return
        lines = [self._line(name) for name in inputs]
        common = (name for name in lines[0] if all(name in line for line in lines[1:]))
        source = next((name for name in common if self._is_real(name)), None)
        if source is not None:
            self._above[op.output] = source

    def _line(self, name: str) -> list[str]:
        """The tensor, its source, the source of that, and so on."""
        line = [name]
        while line[-1] in self._above:
            line.append(self._above[line[-1]])
        return line

    def _between(self, source: str, last: Op) -> list[Op]:
        """The ops that lead from ``source`` to ``last``, in topological order."""
        needed = {last.output}
        chain: list[Op] = []
        pending = [last]
        while pending:
            op = pending.pop()
            chain.append(op)
            for name in op.inputs:
                if name != source and name not in needed and not self._is_scalar(name):
                    needed.add(name)
                    pending.append(self._graph.producers[name])
        return sorted(chain, key=lambda op: self._place[op.name])

    def _steps(self, source: str, chain: list[Op]) -> tuple[Step, ...]:
        numbers = {source: 0} | {op.output: index for index, op in enumerate(chain, 1)}

        def operand(name: str) -> Operand:
            if name in numbers:
                return numbers[name]
            tensor = self._graph.tensors[name]
            assert tensor.data is not None
            return Scalar(tensor.data.reshape(()).item(), tensor.dtype)

        return tuple(Step(op.operator, tuple(map(operand, op.inputs))) for op in chain)

    def _is_scalar(self, name: str) -> bool:
        data = self._graph.tensors[name].data
        return data is not None and data.size == 1

    def _is_real(self, name: str) -> bool:
        tensor = self._graph.tensors[name]
        return tensor.dtype == "float32" and not tensor.is_constant


def is_elementwise(op: Op) -> bool:
    return isinstance(op.operator, ELEMENTWISE) and not isinstance(op.operator, NOT_ELEMENTWISE)


def worth_a_table(chain: list[Op]) -> bool:
    """Whether an op has no int8 kernel to rely on, or there are more than a table costs."""
    return len(chain) > LONGEST_CHAIN or any(
        "int8" not in op.operator.integer_dtypes or isinstance(op.operator, UNTRUSTWORTHY)
        for op in chain
    )
