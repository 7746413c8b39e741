"""A loop whose length a condition decides, as TFLite's WHILE has it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from edgenn.ir.evaluator import evaluate, evaluate_step
from edgenn.ir.graph import Graph
from edgenn.ir.operator import Loop, Observer, ShapeError, TensorType
from edgenn.ir.tensor import Array, Tensor


def _nothing() -> Graph:
    return Graph("", {}, (), {}, {})


@dataclass(frozen=True)
class While(Loop):
    """Runs ``body`` on what it carries for as long as ``condition`` holds of that.

    Inputs: what is carried, before the first step. Outputs: the same after the last one.

    Attributes:
        condition: Takes all that is carried, gives one bool.
        body: Takes all that is carried, gives it after one step.
    """

    kind = "while"

    condition: Graph = field(default_factory=_nothing)
    body: Graph = field(default_factory=_nothing)

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        if len(inputs) != len(self.body.inputs):
            raise ShapeError(
                f"{len(inputs)} inputs for a loop that carries {len(self.body.inputs)}"
            )
        return tuple(TensorType(x.shape, x.dtype) for x in self.body.output_tensors())

    def run(
        self, inputs: Sequence[Array], path: str = "", observe: Observer | None = None
    ) -> tuple[Array, ...]:
        carried, step = list(inputs), 0
        (goes_on,) = self.condition.outputs.values()
        while True:
            asked = dict(zip(self.condition.inputs, carried, strict=True))
            if not evaluate(self.condition, asked, [goes_on])[goes_on]:
                return tuple(carried)
            given = dict(zip(self.body.inputs, carried, strict=True))
            results = evaluate_step(self.body, given, path, step, observe)
            carried = [results[name] for name in self.body.outputs.values()]
            step += 1

    def macs(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> int:
        """Of one step: how many there are, only a run shows."""
        return self.body.macs()
