"""Masks: ONNX's recurrent operators know how many steps a row has, not which.

The kept steps of each row move to its front, in their order; the operator runs over so many;
then each step gets its output back from where it went. Behind the last kept step the operator
gives zeros, which is where steps that have no output point to.
"""

from functools import cached_property

from edgenn.export.onnx.context import Context
from edgenn.export.onnx.dtypes import ELEMENT_TYPES
from edgenn.export.onnx.layouts import time_first
from edgenn.ir.ops.scan import TIME

BEHIND_ALL = 2**31 - 1
"""Where masked steps are sorted to: no sequence is as long."""


def kept_steps(mask: str, context: Context) -> "KeptSteps":
    """Of a mask ``(B, T)``; the same object for every op that reads it."""
    key = ("kept steps", mask)
    if key not in context.made:
        context.made[key] = KeptSteps(mask, context)
    kept = context.made[key]
    assert isinstance(kept, KeptSteps)
    return kept


class KeptSteps:
    """Which steps of each row a mask keeps, as values of the file; made when first asked for."""

    def __init__(self, mask: str, context: Context) -> None:
        self.context = context
        self.tensor = context.tensor(mask)
        self.mask = context.value(mask)

    @cached_property
    def numbers(self) -> str:
        """The mask as 0 and 1, ``(B, T)``."""
        return self.context.node("Cast", [self.mask], to=ELEMENT_TYPES["int64"])

    @cached_property
    def counted(self) -> str:
        """How many steps are kept up to each, itself included, ``(B, T)``."""
        axis = self.context.attribute("axis", TIME)
        return self.context.node("CumSum", [self.numbers, axis])

    @cached_property
    def lengths(self) -> str:
        """How many steps each row keeps, ``(B,)``."""
        axes = self.context.attribute("axes", [TIME])
        total = self.context.node("ReduceSum", [self.numbers, axes], keepdims=0)
        return self.context.node("Cast", [total], to=ELEMENT_TYPES["int32"])

    @cached_property
    def any_kept(self) -> str:
        """Whether a row keeps any step, ``(B, 1)``."""
        none = self.context.attribute("none", 0, "int32")
        some = self.context.node("Greater", [self.lengths, none])
        return self.context.node("Unsqueeze", [some, self.context.attribute("axes", [1])])

    @cached_property
    def sources(self) -> str:
        """Which step comes first, second … of those kept, then any others, ``(B, T, 1)``."""
        last = self.context.attribute("behind_all", BEHIND_ALL)
        keys = self.context.node("Where", [self.mask, self.counted, last])
        steps = self.tensor.shape[TIME]
        count = (
            self.context.node("Shape", [self.mask], start=TIME, end=TIME + 1)
            if steps is None
            else self.context.attribute("steps", [steps])
        )
        _, indices = self.context.node_with_some_outputs(
            "TopK", [keys, count], [True, True], axis=TIME, largest=0, sorted=1
        )
        return self.column(indices)

    def column(self, value: str) -> str:
        """``(B, T)`` → ``(B, T, 1)``."""
        return self.context.node("Unsqueeze", [value, self.context.attribute("axes", [TIME + 1])])

    def compact(self, x: str) -> str:
        """A sequence ``(B, T, F)`` with its kept steps in front, ``(T, B, F)``."""
        key = ("compact", self.tensor.name, x)
        if key not in self.context.made:
            self.context.made[key] = self._compact(x)
        return str(self.context.made[key])

    def _compact(self, x: str) -> str:
        inputs = [self.context.value(x), self.sources]
        y = self.context.node("GatherND", inputs, batch_dims=1)
        return self.context.permuted(y, self.context.tensor(x).shape, (0, 1, 2), time_first(3))

    def spread(self, value: str, name: str, *, reverse: bool, zeros: bool) -> str:
        """Outputs at the kept steps back where the steps were, ``(T, B, U)`` → ``(B, T, U)``.

        Args:
            name: The graph's tensor.
            reverse: Whether a masked step repeats the output of the next kept one, not of the
                one before.
            zeros: Whether it is zero instead.
        """
        shape = self.context.tensor(name).shape
        y = self.context.permuted(value, shape, time_first(3), (0, 1, 2))
        places = self.places(reverse=reverse, zeros=zeros)
        return self.context.node("GatherND", [y, places], batch_dims=1)

    def places(self, *, reverse: bool, zeros: bool) -> str:
        """Where each step's output is, ``(B, T, 1)``; -1, the last, where there is none."""
        key = ("places", self.tensor.name, zeros, reverse and not zeros)
        if key not in self.context.made:
            one = self.context.attribute("one", 1)
            if zeros:
                ordinals = self.context.node("Mul", [self.counted, self.numbers])
                value = self.context.node("Sub", [ordinals, one])
            elif reverse:
                value = self.context.node("Sub", [self.counted, self.numbers])
            else:
                value = self.context.node("Sub", [self.counted, one])
            self.context.made[key] = self.column(value)
        return str(self.context.made[key])
