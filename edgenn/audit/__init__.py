"""Whether calibration data are good enough: an audit, one check a file in ``checks/``.

Each name is imported when it is first used: what a bundle says of its calibration data is read by
every check, and needs no graph.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgenn.audit.auditing import audit, quick_findings
    from edgenn.audit.recorded import recorded_calibration, unscaled
    from edgenn.audit.report import Audit, Finding, InputRange, TensorRange
    from edgenn.audit.roles import real_inputs
    from edgenn.audit.survey import Survey

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
    "unscaled",
]

_HOMES = {
    "Audit": "report",
    "Finding": "report",
    "InputRange": "report",
    "Survey": "survey",
    "TensorRange": "report",
    "audit": "auditing",
    "quick_findings": "auditing",
    "real_inputs": "roles",
    "recorded_calibration": "recorded",
    "unscaled": "recorded",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"edgenn.audit.{_HOMES[name]}"), name)
