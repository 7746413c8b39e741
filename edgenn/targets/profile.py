"""What a target is: the schema of a profile, one model a table."""

from collections.abc import Mapping
from typing import Any, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveInt

from edgenn.targets.op_rules import OpRules

Form = Literal["loop", "fused", "unrolled", "step", "native"]
"""Of recurrent layers, as manifests say it."""

SchemeName = Literal["float32", "float16", "dynamic", "int8", "int16x8", "fixed16"]

DEFAULT_DIALECT: Final = "litert"


class Table(BaseModel):
    """A table of a profile: nothing but the keys that are known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ArtifactRules(Table):
    """What a target takes.

    Attributes:
        format: Of the file.
        schemes: What it may hold; the first is written where none is asked for.
        batch: What the batch is fixed to; open where it is left out.
        recurrent: Forms of recurrent layers by preference: the first that every such layer of a
            model can have is taken. Left out, any form will do.
        gates: Their precision in full-integer files, as ``--rnn-precision`` says it.
        dialect: Whose ops a file is written in. ``micro``: those that TFLite Micro computes as
            LiteRT's reference kernels do; ``gpu``: the same for LiteRT's GPU runtime; ``ethos-u``:
            those of ``micro`` that an Ethos-U computes well.
    """

    format: Literal["tflite", "onnx", "hls4ml"]
    schemes: tuple[SchemeName, ...] = Field(min_length=1)
    batch: PositiveInt | None = None
    recurrent: tuple[Form, ...] = ()
    gates: Literal["auto", "float32", "int16", "int8"] = "auto"
    dialect: Literal["litert", "ethos-u", "gpu", "micro"] = DEFAULT_DIALECT


class MemoryLimits(Table):
    """What a device has, in bytes; ``None`` where there is no limit to speak of.

    Attributes:
        sram_bytes: For activations.
        flash_bytes: For the file.
    """

    sram_bytes: PositiveInt | None = None
    flash_bytes: PositiveInt | None = None


class Judge(Table):
    """How the target's numbers are judged, besides by their drift from Keras.

    Attributes:
        peer: Another target, whose numbers these have to be.
        tolerances: Scheme → the largest difference from the peer, as a share of the range of its
            output; 0 is bit for bit. Schemes that are left out may differ.
        recurrent_tolerances: The same for files with recurrent layers, in which one step of
            rounding goes on from step to step; those of all files by default.
        own_forms: Forms of recurrent layers that the target has kernels of its own for: their
            numbers are only compared with Keras.
        time: What its latency is worth: ``measured`` on the device, ``estimated`` by a model of
            it, or ``none``: the host's, which says nothing of the device.
        macs: Multiply-accumulates that a check may take, of a target that is slow; the samples
            are fewer where all of them come to more.
    """

    peer: str | None = None
    tolerances: Mapping[SchemeName, NonNegativeFloat] = Field(default_factory=dict)
    recurrent_tolerances: Mapping[SchemeName, NonNegativeFloat] = Field(default_factory=dict)
    own_forms: tuple[Form, ...] = ()
    time: Literal["measured", "estimated", "none"] = "measured"
    macs: PositiveInt | None = None

    def tolerance(self, scheme: str, form: str | None) -> float | None:
        """How far a file may be from the peer; ``None`` where it does not matter.

        Args:
            form: Of its recurrent layers, if it has any.
        """
        known = cast(SchemeName, scheme)  # another one has no tolerance
        general = self.tolerances.get(known)
        if form is None:
            return general
        if form in self.own_forms:
            return None
        return self.recurrent_tolerances.get(known, general)


class Profile(Table):
    """A target.

    Attributes:
        name: Of its file, without the suffix.
        title: What it is, in a few words.
        kind: Of device.
        description: What a user should know of it.
        runner: Gives the numbers.
        estimator: Another runner, that says what runs where and what it costs.
        optional: Whether its engine is only installed on request.
        artifact: What it takes.
        memory: What it has.
        judge: How its numbers are judged.
        options: For the runner's engine.
        estimator_options: For the estimator's.
        ops: What of a file runs where.
    """

    name: str
    title: str
    kind: Literal["cpu", "gpu", "npu", "microcontroller", "fpga"]
    description: str = ""
    runner: str
    estimator: str | None = None
    optional: bool = False
    artifact: ArtifactRules
    memory: MemoryLimits = MemoryLimits()
    judge: Judge = Judge()
    options: Mapping[str, Any] = Field(default_factory=dict)
    estimator_options: Mapping[str, Any] = Field(default_factory=dict)
    ops: OpRules | None = None

    @property
    def runners(self) -> tuple[str, ...]:
        """All that it needs, the one with the numbers first."""
        return (self.runner,) if self.estimator is None else (self.runner, self.estimator)
