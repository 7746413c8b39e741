"""How far an artifact has drifted from its Keras model."""

from edgenn.drift.check import check_bundle
from edgenn.drift.metrics import METRICS, Metric
from edgenn.drift.report import CheckReport, Rung

__all__ = ["METRICS", "CheckReport", "Metric", "Rung", "check_bundle"]
