"""What a check found: plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from edgenn.drift.metrics import Value
from edgenn.errors import EngineError, UnavailableError, UnsupportedError
from edgenn.runners.facts import Facts

if TYPE_CHECKING:
    from edgenn.audit.report import Audit
    from edgenn.drift.explain.report import Explanation, Histogram
    from edgenn.drift.streaming import StreamCheck

SCHEMA: Final = "edgenn.check/2"
"""Of what ``--json`` writes; the version grows when a field changes its meaning."""

Metrics = Mapping[str, Mapping[str, Value]]
"""Output name → metric → value."""
Intervals = Mapping[str, Mapping[str, tuple[float, float]]]
"""Output name → task metric → 95 % interval of (this rung − Keras)."""

FLOAT_GRAPH: Final = "float graph"
"""The target of the rung that no file has: the model as edgenn captured it."""


@dataclass(frozen=True)
class Verdict:
    """One line of a budget, held against one rung.

    Attributes:
        output: Of the model; empty where the line is about the whole rung.
        limit: What the value may be at worst, in the metric's unit.
        rule: In words: ``accuracy ≥ 97.7 %, 99 % of Keras``.
        source: ``default``, the budget's file and table, or ``baseline``.
    """

    metric: str
    output: str
    limit: float
    value: Value
    passed: bool
    rule: str
    source: str


@dataclass(frozen=True)
class WorstSample:
    """A sample on which a rung lies far from Keras.

    Attributes:
        index: In the data.
        output: The output that it is bad at.
        error: Relative L2 of that output.
        inputs: Input name → numbers small enough to be shown: a picture ``(h, w, c)``, a curve
            ``(points, channels)`` or a row of numbers.
        reference: Keras's output, flat, its first numbers.
        actual: The rung's.
        label: Of the sample, where it is one number.
    """

    index: int
    output: str
    error: float
    inputs: Mapping[str, Any] = field(default_factory=dict)
    reference: tuple[float, ...] = ()
    actual: tuple[float, ...] = ()
    label: float | None = None


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
        samples: How many were run.
        intervals: How sure task metrics are.
        before: Label of the rung that came before it in the ladder; empty for Keras.
        step: The same metrics against that rung: what this step of the ladder adds.
        verdicts: The lines of the budget.
        worst: The samples that lie farthest from Keras, the worst first.
        size_bytes: Of the artifact.
        differences: Output name → by how many integer steps it differs from the rung before, of
            outputs that are integers in both.
    """

    artifact: str
    scheme: str
    target: str
    engine: str = ""
    version: str = ""
    metrics: Metrics | None = None
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
    samples: int = 0
    intervals: Intervals = field(default_factory=dict)
    before: str = ""
    step: Metrics = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()
    worst: tuple[WorstSample, ...] = ()
    size_bytes: int | None = None
    differences: Mapping[str, "Histogram"] = field(default_factory=dict)

    @property
    def words(self) -> tuple[str, ...]:
        """What tells its artifact from others of the model: scheme, form, batch.

        The names of files from elsewhere say no scheme; then the name does.
        """
        if not self.artifact:
            return ()
        _, _, variant = self.artifact.rpartition(f".{self.scheme}.")
        return tuple(filter(None, (self.scheme, *variant.split(".")[:-1])))

    @property
    def label(self) -> str:
        """Its name in the ladder, such as ``int8 cpu-xnnpack``."""
        return " ".join([*self.words, self.target])

    @property
    def failed(self) -> bool:
        """Whether a user has to look at it."""
        return bool(self.findings) or any(not verdict.passed for verdict in self.verdicts)


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
        rungs: The ladder, in its order.
        notes: What a user should know about the data.
        budget: ``default`` or the file.
        explanations: Layer by layer, of the artifacts that were looked into.
        streaming: Whether streams give what whole sequences give.
        audit: Of the calibration data.
        manifest: The bundle's, as JSON's types.
        schema: Name and version of this structure.
    """

    name: str
    data: str
    data_sha256: str
    samples: int
    reference: str
    reference_metrics: Metrics
    rungs: tuple[Rung, ...]
    notes: tuple[str, ...] = ()
    budget: str = "default"
    explanations: tuple["Explanation", ...] = ()
    streaming: tuple["StreamCheck", ...] = ()
    audit: "Audit | None" = None
    manifest: Mapping[str, Any] = field(default_factory=dict)
    schema: str = SCHEMA

    @property
    def first_break(self) -> str:
        """Label of the first rung that breaks the budget; empty where none does."""
        return next((rung.label for rung in self.rungs if broken(rung.verdicts)), "")

    @property
    def exit_code(self) -> int:
        """The worst: 5 an engine crashed, 4 one is missing, 3 one refused, 1 wrong numbers."""
        codes = {rung.exit_code for rung in self.rungs}
        for error in (EngineError, UnavailableError, UnsupportedError):
            if error.exit_code in codes:
                return error.exit_code
        failed = any(rung.failed for rung in self.rungs)
        return int(failed or any(not stream.passed for stream in self.streaming))


def broken(verdicts: Sequence[Verdict]) -> bool:
    return any(not verdict.passed for verdict in verdicts)
