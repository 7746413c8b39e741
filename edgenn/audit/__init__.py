"""Whether calibration data are good enough: an audit, one check a file in ``checks/``."""

from edgenn.audit.auditing import audit, quick_findings
from edgenn.audit.recorded import recorded_calibration, unscaled
from edgenn.audit.report import Audit, Finding, InputRange, TensorRange
from edgenn.audit.roles import real_inputs
from edgenn.audit.survey import Survey, survey

__all__ = [
    "Audit",
    "Finding",
    "InputRange",
    "Survey",
    "TensorRange",
    "audit",
    "quick_findings",
    "real_inputs",
    "recorded_calibration",
    "survey",
    "unscaled",
]
