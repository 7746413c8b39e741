"""What drift is allowed: limits in a file, a stored baseline, and the verdicts that follow."""

from edgenn.drift.budget.baseline import Baseline, Stored, fingerprint_of
from edgenn.drift.budget.judging import judge
from edgenn.drift.budget.layers import judge_layers
from edgenn.drift.budget.reading import DEFAULT_FILE, default_budget, read_budget
from edgenn.drift.budget.schema import Budget

__all__ = [
    "DEFAULT_FILE",
    "Baseline",
    "Budget",
    "Stored",
    "default_budget",
    "fingerprint_of",
    "judge",
    "judge_layers",
    "read_budget",
]
