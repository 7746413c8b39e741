"""What an engine says of a run besides numbers: where it ran, and what it costs there."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self


@dataclass(frozen=True)
class Fallback:
    """An op that the accelerator leaves to the CPU.

    Attributes:
        op: As the artifact's format calls it.
        layer: The tensor it makes, which begins with the Keras layer's path; empty if not known.
        reason: In the engine's own words.
    """

    op: str
    layer: str
    reason: str


@dataclass(frozen=True)
class LayerCost:
    """What one op costs on a device.

    Attributes:
        utilization: Share of the device's multiply-accumulates that do something, 0 … 1.
    """

    layer: str
    op: str
    cycles: int
    sram_bytes: int
    macs: int
    utilization: float


@dataclass(frozen=True)
class Facts:
    """All that engines may know; ``None`` and empty where they do not.

    Attributes:
        adapter: The device, in the driver's words.
        software: Whether that device is emulated on the CPU: its time says nothing.
        arena_bytes: Working memory of a microcontroller runtime.
        cycles: Of one inference.
        sram_bytes: Peak use of the fast memory.
        flash_bytes: Of weights and commands, in whatever memory keeps them.
        macs: Multiply-accumulates of one inference, as the engine counts them.
        accelerator_macs: Those of them that run on the accelerator.
        fallbacks: Ops that run on the CPU.
        layers: Op by op.
        peak_memory_bytes: By how much the engine's process grew.
        load_ms: Until the artifact was ready to run.
        first_run_ms: The first sample, which often sets things up.
    """

    adapter: str = ""
    software: bool | None = None
    arena_bytes: int | None = None
    cycles: int | None = None
    sram_bytes: int | None = None
    flash_bytes: int | None = None
    macs: int | None = None
    accelerator_macs: int | None = None
    fallbacks: tuple[Fallback, ...] = ()
    layers: tuple[LayerCost, ...] = ()
    peak_memory_bytes: int | None = None
    load_ms: float | None = None
    first_run_ms: float | None = None

    @property
    def accelerator_share(self) -> float | None:
        """Of the multiply-accumulates, 0 … 1."""
        if self.accelerator_macs is None or self.macs is None:
            return None
        return self.accelerator_macs / self.macs if self.macs else 1.0

    @property
    def working_bytes(self) -> int | None:
        """What a device needs besides the file: a microcontroller's arena, an NPU's SRAM."""
        return self.sram_bytes if self.arena_bytes is None else self.arena_bytes

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        """Reads what a child process said, in JSON's types."""
        given = dict(values)
        for name, kind in (("fallbacks", Fallback), ("layers", LayerCost)):
            given[name] = tuple(kind(**entry) for entry in given.get(name, ()))
        return cls(**given)

    def joined(self, other: "Facts") -> "Facts":
        """Both together; what ``other`` says counts."""
        mine, theirs = asdict(self), asdict(other)
        blank = {field.name: field.default for field in fields(self)}
        said = {name: value for name, value in theirs.items() if value != blank[name]}
        return Facts.from_values({**mine, **said})
