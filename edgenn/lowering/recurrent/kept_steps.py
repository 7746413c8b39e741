"""Masks for operators that know none: the steps that a row keeps move to its front.

Behind them, at the end of the sequence, the operator runs over steps that mean nothing; nobody
reads what comes of them. Finding the first kept step, the second … compares every step with
every number: T² bytes a row.
"""

from functools import cached_property

import numpy as np

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.operator import Operator
from edgenn.ir.ops import (
    Add,
    ArgMax,
    Cast,
    CountTrue,
    Equal,
    ExpandDims,
    GatherSteps,
    Greater,
    LogicalNot,
    LogicalOr,
    Maximum,
    Select,
)
from edgenn.ir.ops.scan import TIME


class KeptSteps:
    """Which steps of each row a mask keeps; what tells so is added when first asked for.

    Args:
        mask: ``(B, T)`` of bool.
    """

    def __init__(self, builder: GraphBuilder, mask: str) -> None:
        self.builder = builder
        self.mask = mask

    def compact(self, x: str, name: str) -> str:
        """A sequence ``(B, T, …)`` whose kept steps come first, in their order."""
        return self.builder.add(GatherSteps(), [x, self.sources], name)

    def spread(self, y: str, name: str) -> str:
        """Each step's value from a compact sequence; a masked step has that of the last kept one.

        Before the first kept step it is anything.
        """
        return self.builder.add(GatherSteps(), [y, self.places], name)

    def zeroed(self, x: str, name: str, *, everywhere: bool) -> str:
        """A sequence ``(B, T, U)`` with zeros before the first kept step, or wherever masked."""
        condition = self.column if everywhere else self.begun
        zero = self.builder.constant(f"{name}/zero", np.zeros((1, 1, 1), np.float32))
        return self.builder.add(Select(), [condition, x, zero], name)

    # (B, T)

    @cached_property
    def counted(self) -> str:
        """How many steps are kept up to each, itself included."""
        return self._add(CountTrue(), [self.mask], "counted")

    @cached_property
    def places(self) -> str:
        """Where the last kept step up to each went; 0 where there is none."""
        before = self._add(Add(), [self.counted, self._number(-1)], "before")
        return self._add(Maximum(), [before, self._number(0)], "places")

    @cached_property
    def sources(self) -> str:
        """Which step is the first kept one, the second …; 0 where there are no more."""
        counted = self._add(ExpandDims(TIME), [self.counted], "counted_row")
        matches = self._add(Equal(), [counted, self.ordinals], "matches")
        # TFLite Micro finds the largest of int8, not of bool; of equals it takes the first
        numbers = self._add(Cast("int8"), [matches], "match_numbers")
        return self._add(ArgMax(TIME + 1, "int32"), [numbers], "sources")

    @cached_property
    def ordinals(self) -> str:
        """1, 2 … T in a column, ``(1 or B, T, 1)``."""
        steps = self.builder.tensors[self.mask].shape[TIME]
        if steps is not None:
            numbers = np.arange(1, steps + 1, dtype=np.int32).reshape(1, steps, 1)
            return self.builder.constant(f"{self.mask}/ordinals", numbers)
        inverse = self._add(LogicalNot(), [self.mask], "inverse")
        all_ = self._add(LogicalOr(), [self.mask, inverse], "all")
        counted = self._add(CountTrue(), [all_], "all_counted")
        return self._add(ExpandDims(TIME + 1), [counted], "ordinals")

    # (B, T, 1)

    @cached_property
    def column(self) -> str:
        """The mask."""
        return self._add(ExpandDims(TIME + 1), [self.mask], "column")

    @cached_property
    def begun(self) -> str:
        """Whether any step is kept up to each."""
        some = self._add(Greater(), [self.counted, self._number(0)], "some")
        return self._add(ExpandDims(TIME + 1), [some], "begun")

    def _add(self, operator: Operator, inputs: list[str], name: str) -> str:
        return self.builder.add(operator, inputs, f"{self.mask}/{name}")

    def _number(self, value: int) -> str:
        return self.builder.constant(f"{self.mask}/number", np.array(value, np.int32))
