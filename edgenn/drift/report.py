"""What a check found: plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edgenn.drift.metrics import Value
from edgenn.errors import EngineError, UnavailableError, UnsupportedError
from edgenn.runners.facts import Facts


@dataclass(frozen=True)
class Rung:
    """One artifact on one target.

    Attributes:
        artifact: File name in the bundle; empty where none fits the target.
        scheme: Quantisation scheme of the artifact.
        target: Name of the profile.
        engine: The runner that gave the numbers.
        version: Of what ran; empty where nothing did.
        metrics: Output name → metric → value; empty where it failed.
        latency_ms: Median of one sample.
        time: What that is worth: ``measured``, ``estimated`` or ``none``.
        warnings: From the engines.
        findings: What is wrong with the outputs, or why there are none.
        exit_code: 0, or that of the error that ended it.
        estimator: Name and version of what gave the cost, where another engine did.
        facts: Where it ran, and what it costs there.
        peer: The target whose numbers these have to be, if any.
        peer_difference: The largest difference from them, as a share of their range.
        notes: Why there is nothing, where nobody asked for this target by name.
    """

    artifact: str
    scheme: str
    target: str
    engine: str = ""
    version: str = ""
    metrics: Mapping[str, Mapping[str, Value]] | None = None
    latency_ms: float | None = None
    time: str = "measured"
    warnings: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    exit_code: int = 0
    estimator: str = ""
    facts: Facts = field(default_factory=Facts)
    peer: str = ""
    peer_difference: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckReport:
    """All artifacts of a bundle on all targets.

    Attributes:
        name: The bundle's.
        data: Where the samples come from.
        data_sha256: Of the samples.
        samples: How many there are.
        reference: Where the Keras predictions come from: ``stored`` or ``computed``.
        reference_metrics: Output name → metric → value of Keras itself (accuracy).
        rungs: Artifact by artifact, in the order of the targets.
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
        """The worst: 5 an engine crashed, 4 one is missing, 3 one refused, 1 wrong numbers."""
        codes = {rung.exit_code for rung in self.rungs}
        for error in (EngineError, UnavailableError, UnsupportedError):
            if error.exit_code in codes:
                return error.exit_code
        return 1 if any(rung.findings for rung in self.rungs) else 0
