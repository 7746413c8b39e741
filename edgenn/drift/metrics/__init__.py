"""How far numbers have drifted, and how good they are: one pure function each, in one table."""

from edgenn.drift.metrics.metric import Metric, Value
from edgenn.drift.metrics.registry import METRICS, require_metrics
from edgenn.drift.metrics.score import Score
from edgenn.drift.metrics.steps import StepHistogram
from edgenn.drift.metrics.tally import Tally

__all__ = [
    "METRICS",
    "Metric",
    "Score",
    "StepHistogram",
    "Tally",
    "Value",
    "require_metrics",
]
