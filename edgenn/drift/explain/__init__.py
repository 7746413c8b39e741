"""Which layer made an artifact wrong, and what would mend it."""

from edgenn.drift.explain.report import Explanation, LayerError, LengthBucket, Remedy

__all__ = ["Explanation", "LayerError", "LengthBucket", "Remedy"]
