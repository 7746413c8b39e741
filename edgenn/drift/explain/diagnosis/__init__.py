"""What is wrong with a layer, in words: one cause a file, each a registered function."""

from edgenn.drift.explain.diagnosis.case import Case
from edgenn.drift.explain.diagnosis.registry import diagnose

__all__ = ["Case", "diagnose"]
