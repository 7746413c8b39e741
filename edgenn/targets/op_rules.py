"""Where the ops of a file run on a target: the table ``[ops]`` of a profile.

```toml
[ops]
elsewhere = "cpu"
kinds = ["CONV_2D", "AVERAGE_POOL_2D"]
absent = "Unsupported opType"

[[ops.limits]]
of = ["AVERAGE_POOL_2D"]
when = { padding = "VALID" }
needs = { kernel_h = { most = 256 }, kernel_area = { most = 65536 } }
reason = "Kernel height must be less than or equal to 256."
```
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from edgenn.targets.quantities import Quantity

Elsewhere = Literal["cpu", "refused"]
Plain = bool | int | float | str


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Range(Table):
    """Numbers between two bounds, each included; one may be left out."""

    least: float | None = None
    most: float | None = None


Allowed = Plain | tuple[Plain, ...] | Range
"""One value, several of which any will do, or a range."""

Conditions = Mapping[Quantity, Allowed]
"""Quantity → what it may be; all have to hold. A quantity with several values, such as the sizes
of a shape, holds if all of them do; one that the op does not have holds."""


class Limit(Table):
    """Something that ops have to keep to.

    Attributes:
        of: Kinds of ops; all where it is left out.
        but: Kinds that are spared.
        when: The limit is for ops of which this is so; for all where it is left out. A quantity
            that the op does not have makes it not so.
        needs: What has to be so; of several tables, any.
        reason: Why not, in the engine's own words.
        elsewhere: What becomes of such an op, where that is not what becomes of others.
    """

    of: frozenset[str] | None = None
    but: frozenset[str] = frozenset()
    when: Conditions = Field(default_factory=dict)
    needs: Conditions | tuple[Conditions, ...]
    reason: str
    elsewhere: Elsewhere | None = None

    def is_for(self, kind: str) -> bool:
        return (self.of is None or kind in self.of) and kind not in self.but

    @property
    def alternatives(self) -> tuple[Conditions, ...]:
        return self.needs if isinstance(self.needs, tuple) else (self.needs,)


class OpRules(Table):
    """What of a file the accelerator runs.

    Attributes:
        like: Another target, by name or path, whose rules these are; limits are added to its.
        elsewhere: What becomes of ops that the accelerator does not run: the CPU runs them, or
            the target refuses the file.
        kinds: The ops that the accelerator has; all where it is left out.
        lacks: Ops that it does not have, where that is the shorter list.
        absent: Why others do not run, in the engine's own words.
        limits: In the order in which the engine looks at them; the first that is broken is told.
        pitfalls: What the engine takes and computes wrongly; it runs, with a warning.
    """

    like: str | None = None
    elsewhere: Elsewhere = "cpu"
    kinds: frozenset[str] | None = None
    lacks: frozenset[str] = frozenset()
    absent: str = "the target has no such op"
    limits: tuple[Limit, ...] = ()
    pitfalls: tuple[Limit, ...] = ()

    def has(self, kind: str) -> bool:
        """Whether the accelerator has an op of that kind at all."""
        return (self.kinds is None or kind in self.kinds) and kind not in self.lacks
