"""Which rule rewrites which operator; filled by the files in ``rules/``."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from edgenn.ir.graph import Op
from edgenn.ir.operator import Operator
from edgenn.registration import import_modules

if TYPE_CHECKING:
    from edgenn.lowering.integer.composer import Composer

LastOp = tuple[Operator, Sequence[str]]
"""The operator and the inputs that make the value that the rewritten op made."""
Rule = Callable[[Op, "Composer"], LastOp | None]
"""Adds the ops but for the last one to the composer; ``None`` where the op stays as it is."""

INT8 = ("int8",)
INT16 = ("int16",)
BOTH = ("int8", "int16")

RULES: dict[tuple[type[Operator], str], Rule] = {}


def rule(*operators: type[Operator], dtypes: Sequence[str]) -> Callable[[Rule], Rule]:
    """Registers a function as the rule for ``operators`` in graphs of these activation dtypes."""

    def register(function: Rule) -> Rule:
        for dtype in dtypes:
            RULES.update(dict.fromkeys(((operator, dtype) for operator in operators), function))
        return function

    return register


def load_rules() -> None:
    """Imports every file of ``rules/``, each of which registers its functions."""
    from edgenn.lowering.integer import rules

    import_modules(rules)
