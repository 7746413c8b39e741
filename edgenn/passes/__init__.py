"""Graph → Graph simplifications, one per file; ``simplify`` runs them all."""

from edgenn.passes.pipeline import simplify
from edgenn.passes.set_batch import with_batch

__all__ = ["simplify", "with_batch"]
