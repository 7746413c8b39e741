"""What a target makes of a model, layer by layer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from edgenn.errors import UnsupportedError
from edgenn.placement.placement import PlacedOp

Verdict = Literal["runs", "partly", "refused"]

BETWEEN = "(between layers)"
"""Where ops stand that belong to no layer."""


@dataclass(frozen=True)
class Reason:
    """Why ops of a layer do not run on the accelerator.

    Attributes:
        op: As the file's format calls it.
        count: How many such ops there are in the layer, for the same reason.
        reason: In the engine's own words.
    """

    op: str
    count: int
    reason: str


@dataclass(frozen=True)
class LayerReport:
    """What becomes of a layer.

    Attributes:
        layer: Its path.
        absorbed: Layers without ops of their own, which became a part of this one's.
        form: Of a recurrent layer: ``loop``, ``fused``, ``unrolled``, ``step`` or ``native``.
        ops: Kind → how many; those of a loop's body once.
        precision: dtypes of what its ops make, that of most multiply-accumulates first.
        accelerator: How many of its ops run there.
        cpu: How many fall back.
        refused: How many the target does not run at all.
        reasons: Why not.
        pitfalls: What the target takes and is known to do wrong.
        macs: Multiply-accumulates of one inference.
        weight_bytes: Of its constants.
    """

    layer: str
    absorbed: tuple[str, ...]
    form: str
    ops: Mapping[str, int]
    precision: tuple[str, ...]
    accelerator: int
    cpu: int
    refused: int
    reasons: tuple[Reason, ...]
    pitfalls: tuple[Reason, ...]
    macs: int
    weight_bytes: int


@dataclass(frozen=True)
class TargetReport:
    """What a target would make of a model.

    Attributes:
        verdict: Whether all runs on the accelerator, some falls back to the CPU, or the target
            does not run it.
        reasons: Why it does not.
        notes: What else a user should know.
        format: Of the file that is written for it.
        scheme: Of that file; empty where a file was given.
        form: Of recurrent layers; empty without.
        gates: Their precision; likewise.
        batch: What the batch is fixed to.
        size_bytes: Of the file.
        macs: Multiply-accumulates of one inference.
        accelerator_macs: Those of them that run on the accelerator.
        peak_activation_bytes: The least memory for activations at the worst moment.
        peak_op: What runs then.
        layers: In the order of the file.
        ops: Op by op, likewise.
    """

    target: str
    title: str
    kind: str
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    format: str = ""
    scheme: str = ""
    form: str = ""
    gates: str = ""
    batch: int | None = None
    size_bytes: int | None = None
    macs: int | None = None
    accelerator_macs: int | None = None
    peak_activation_bytes: int | None = None
    peak_op: str = ""
    layers: tuple[LayerReport, ...] = ()
    ops: tuple[PlacedOp, ...] = field(default=())

    @property
    def exit_code(self) -> int:
        """Of the command line: 3 if the target does not run it."""
        return UnsupportedError.exit_code if self.verdict == "refused" else 0

    @property
    def accelerator_share(self) -> float | None:
        """Of the multiply-accumulates, 0 … 1."""
        if self.macs is None or self.accelerator_macs is None:
            return None
        return self.accelerator_macs / self.macs if self.macs else 1.0


@dataclass(frozen=True)
class PreflightReport:
    """What targets would make of a model or an artifact.

    Attributes:
        path: Of the model, as it was given.
    """

    path: str
    targets: tuple[TargetReport, ...]

    @property
    def exit_code(self) -> int:
        """The worst of the targets'."""
        return max((target.exit_code for target in self.targets), default=0)
