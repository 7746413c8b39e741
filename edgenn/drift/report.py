"""What a check found: plain data."""

from collections.abc import Mapping
from dataclasses import dataclass

from edgenn.drift.metrics import Value
from edgenn.errors import EngineError, UnavailableError


@dataclass(frozen=True)
class Rung:
    """One artifact on one engine.

    Attributes:
        artifact: File name in the bundle.
        scheme: Quantisation scheme of the artifact.
        engine: The runner's name.
        version: Of what ran; empty where nothing did.
        metrics: Output name → metric → value; empty where it failed.
        latency_ms: Median of one sample.
        warnings: From the engine.
        findings: What is wrong with the outputs, or why there are none.
        exit_code: 0, or that of the error that ended it.
    """

    artifact: str
    scheme: str
    engine: str
    version: str = ""
    metrics: Mapping[str, Mapping[str, Value]] | None = None
    latency_ms: float | None = None
    warnings: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    exit_code: int = 0


@dataclass(frozen=True)
class CheckReport:
    """All artifacts of a bundle on all engines.

    Attributes:
        name: The bundle's.
        data: Where the samples come from.
        data_sha256: Of the samples.
        samples: How many there are.
        reference: Where the Keras predictions come from: ``stored`` or ``computed``.
        reference_metrics: Output name → metric → value of Keras itself (accuracy).
        rungs: In the order they ran.
        notes: What a user should know about the data.
    """

    name: str
    data: str
    data_sha256: str
    samples: int
    reference: str
    reference_metrics: Mapping[str, Mapping[str, Value]]
    rungs: tuple[Rung, ...]
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """5 if an engine crashed, 4 if one is missing, 1 if outputs are no numbers, else 0."""
        codes = {rung.exit_code for rung in self.rungs}
        for code in (EngineError.exit_code, UnavailableError.exit_code):
            if code in codes:
                return code
        return 1 if any(rung.findings for rung in self.rungs) else 0
