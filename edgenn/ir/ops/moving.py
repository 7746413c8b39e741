"""What operators share whose outputs hold values of their inputs, unchanged."""

from collections.abc import Sequence
from dataclasses import dataclass

from edgenn.ir.operator import IntegerInput, Operator, OutputRule
from edgenn.ir.tensor import Array, Tensor


@dataclass(frozen=True)
class Mover(Operator):
    """An operator that moves, selects or repeats values: inputs and outputs share one scale.

    Their integer evaluation is their float evaluation, run on the stored integers.
    """

    output_rule = OutputRule.SAME_AS_INPUT
    evaluates_uint8 = True

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        return self.evaluate([x.values for x in inputs])
