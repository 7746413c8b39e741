"""What every pass is: a rule applied once around each op of a float graph."""

from abc import ABC, abstractmethod
from typing import ClassVar

from edgenn.ir.graph import Graph, Op
from edgenn.passes.rewriter import Rewriter


class Pass(ABC):
    """A simplification that keeps what the graph computes.

    Passes run before quantisation. A subclass lists its rules in its docstring and states them
    in ``rewrite``, which sees the ops in topological order. Graph inputs and outputs keep their
    names; an intermediate with several readers is not fused away; what fuses A into B gives
    B's output name.
    """

    name: ClassVar[str]

    def __call__(self, graph: Graph) -> Graph:
        """The simplified graph; the same object where no rule applies."""
        rewriter = Rewriter(graph)
        for op in rewriter.sweep():
            self.rewrite(op, rewriter)
        return rewriter.finish()

    @abstractmethod
    def rewrite(self, op: Op, graph: Rewriter) -> None:
        """Applies the rules around ``op``, if one fits."""
