"""What checks look at, and the registry of checks."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from edgenn.audit.lookups import Counts
from edgenn.audit.report import Finding
from edgenn.audit.survey import Survey
from edgenn.audit.tensors import Tensors
from edgenn.ir.graph import Graph


@dataclass(frozen=True)
class Evidence:
    """All that is known of the data.

    Attributes:
        graph: The float model.
        calibration: The samples themselves.
        evaluation: Likewise, if there are any.
        tensors: What the model makes of them; ``None`` where it did not run.
        lookups: Rows of embeddings that the calibration data look up.
        evaluation_lookups: Those that the evaluation data look up.
    """

    graph: Graph
    calibration: Survey
    evaluation: Survey | None = None
    tensors: Tensors | None = None
    lookups: Counts = field(default_factory=dict)
    evaluation_lookups: Counts = field(default_factory=dict)


Check = Callable[[Evidence], Iterable[Finding]]

CHECKS: dict[str, Check] = {}
"""By kind of finding, in the order of the files in ``checks/``; each finds what it can in the
evidence that there is."""


def check(kind: str) -> Callable[[Check], Check]:
    """Registers a check under the kind of its findings."""

    def register(function: Check) -> Check:
        CHECKS[kind] = function
        return function

    return register
