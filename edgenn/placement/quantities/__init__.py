"""What rules can ask of an op: one small function for each of ``edgenn.targets.quantities``."""

from edgenn.placement.quantities import kernels, options, tensors
from edgenn.placement.quantities.registry import FUNCTIONS, Answer, Asked

__all__ = ["FUNCTIONS", "Answer", "Asked", "kernels", "options", "tensors"]
