"""What an audit of calibration data found: plain data."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["warning", "note"]

SCHEMA = "edgenn.audit/1"


@dataclass(frozen=True)
class Finding:
    """One thing to know about the calibration data.

    Attributes:
        kind: Name of the check that found it.
        severity: ``warning``: the numbers of int8 files suffer, or say less than they seem to.
            ``note``: good to know, often as it should be.
        message: What, how often, and where.
        remedy: What to do about it.
        tensors: Names of inputs, tensors or layers, the worst first.
        samples: Indices of samples, of the evaluation data where it is about those.
        share: How much of what was looked at is concerned, 0 to 1.
    """

    kind: str
    severity: Severity
    message: str
    remedy: str
    tensors: tuple[str, ...] = ()
    samples: tuple[int, ...] = ()
    share: float | None = None

    def __str__(self) -> str:
        return f"{self.message} ({self.remedy})" if self.remedy else self.message


@dataclass(frozen=True)
class InputRange:
    """What the data hold for an input of the model; nothing where there are no evaluation data."""

    input: str
    low: float
    high: float
    evaluation_low: float | None = None
    evaluation_high: float | None = None


@dataclass(frozen=True)
class TensorRange:
    """A tensor of the float model, on the calibration data and on the evaluation data.

    Attributes:
        tensor: Its name: the Keras layer's path.
        low, high: What integers made of the calibration data can stand for: all values that it
            showed of this tensor and of those that share its scale, and 0.
        disagreement: Between two halves of the calibration data: the larger difference of their
            extremes, as a share of the range that holds both.
        evaluation_low, evaluation_high: Extremes on the evaluation data.
        values_outside: Share of the evaluation data's values that the range clips.
        samples_outside: Share of the evaluation samples with such a value.
        excess: How far the farthest lies outside, as a share of the range.
        worst_sample: Its index; -1 where there is none.
    """

    tensor: str
    low: float
    high: float
    disagreement: float | None = None
    evaluation_low: float | None = None
    evaluation_high: float | None = None
    values_outside: float = 0.0
    samples_outside: float = 0.0
    excess: float = 0.0
    worst_sample: int = -1


@dataclass(frozen=True)
class Audit:
    """Whether calibration data are good enough.

    Attributes:
        name: The model's.
        calibration: Where the calibration data come from.
        samples: How many there are.
        evaluation: Where the evaluation data come from; empty where there are none.
        evaluation_samples: How many there are.
        findings: Warnings first.
        inputs: In the model's order.
        tensors: Those whose range calibration decides; what the evaluation data exceed most often
            comes first, then in the model's order.
    """

    name: str
    calibration: str
    samples: int
    evaluation: str
    evaluation_samples: int
    findings: tuple[Finding, ...]
    inputs: tuple[InputRange, ...]
    tensors: tuple[TensorRange, ...]
    schema: str = SCHEMA

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "warning")
