"""All metrics by name."""

from collections.abc import Sequence
from typing import Final

from edgenn.drift.metrics.agreement import AGREEMENTS
from edgenn.drift.metrics.classification import CLASSIFICATION
from edgenn.drift.metrics.detection import DETECTION
from edgenn.drift.metrics.difference import DIFFERENCES
from edgenn.drift.metrics.metric import Metric
from edgenn.drift.metrics.ranking import RANKING
from edgenn.drift.metrics.regression import REGRESSION
from edgenn.drift.metrics.sequences import SEQUENCES
from edgenn.errors import UsageError
from edgenn.nearest import nearest

SCORE = Metric(
    "score",
    "score",
    "",
    "higher",
    "the recipe's own function",
    "whatever a recipe judges its model by",
    None,
)

METRICS: Final[dict[str, Metric]] = {
    metric.name: metric
    for metric in (
        *DIFFERENCES,
        *AGREEMENTS,
        *CLASSIFICATION,
        *RANKING,
        *DETECTION,
        *REGRESSION,
        *SEQUENCES,
        SCORE,
    )
}


def require_metrics(names: Sequence[str]) -> None:
    """Raises ``UsageError`` for a name that no metric has."""
    for name in names:
        if name not in METRICS:
            raise UsageError(f"there is no metric {name!r}", nearest(name, list(METRICS)))
