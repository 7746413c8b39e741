"""What a bundle says about itself: the file ``manifest.json``."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from edgenn.errors import ArtifactError
from edgenn.runtime.tensor_info import TensorInfo

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Source:
    """The model that was converted.

    Attributes:
        path: As it was given; a model passed from Python has its name here.
        format: ``keras``, ``h5``, ``saved_model`` or ``python`` (a model object).
        sha256: Of the file, or of a folder's files; empty for a model object.
    """

    path: str
    format: str
    sha256: str


@dataclass(frozen=True)
class Calibration:
    """The data that int8 ranges come from.

    Attributes:
        source: The file, as it was given; empty for arrays.
        ranges: Input of real numbers → the smallest and the largest number in it.
    """

    sha256: str
    samples: int
    source: str = ""
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Reference:
    """Keras predictions kept beside the artifacts, for data with this hash."""

    file: str
    sha256: str
    data_sha256: str


@dataclass(frozen=True)
class ChannelFactors:
    """By what equalisation divided the channels of full-integer files, kept beside them.

    A check multiplies by it, where it compares a tensor with the Keras layer's output. The file
    holds an array for each such tensor, one number a channel.
    """

    file: str
    sha256: str


@dataclass(frozen=True)
class Recurrent:
    """How an artifact holds its recurrent layers.

    Attributes:
        form: ``loop``, ``fused``, ``unrolled``, ``step`` or ``native``.
        gates: The precision of gates, cells and states.
    """

    form: str
    gates: str


@dataclass(frozen=True)
class State:
    """A state of an artifact that runs one step: what comes out goes in at the next step.

    Attributes:
        input: Public name of the state before a step.
        output: Public name of the state after it.
        shape: Of both; ``None`` where open.
        dtype: Of both, as are scale and zero point.
        initial: The stored values before the first step: one for all (0, or the zero point), or
            those of one sample in C order. ``None`` where whoever runs the artifact has to say.
    """

    input: str
    output: str
    shape: tuple[int | None, ...]
    dtype: str
    initial: tuple[float, ...] | None


@dataclass(frozen=True)
class TimeAxes:
    """Where an artifact that runs one step has time, with size 1: public name → axis.

    Inputs that are missing are the same at every step; outputs, what is known after it.
    """

    inputs: Mapping[str, int] = field(default_factory=dict)
    outputs: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Artifact:
    """One file of the bundle.

    Attributes:
        file: Its name in the bundle.
        format: ``tflite`` or ``onnx``.
        scheme: ``float32``, ``float16``, ``dynamic``, ``int8`` or ``int16x8``.
        op_counts: Operator → how many there are.
        macs: Multiply-accumulates for one sample.
        recurrent: How it holds recurrent layers, if it has any.
        states: Of an artifact that runs one step.
        time_axes: Likewise.
        targets: Those that it was written for, where the conversion was told any.
        precisions: Precision → paths of the layers that have it, while the others do not:
            ``float32`` or ``int16``.
    """

    file: str
    format: str
    scheme: str
    sha256: str
    size_bytes: int
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    op_counts: Mapping[str, int] = field(default_factory=dict)
    macs: int = 0
    recurrent: Recurrent | None = None
    states: tuple[State, ...] = ()
    time_axes: TimeAxes | None = None
    targets: tuple[str, ...] = ()
    precisions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def data_inputs(self) -> list[str]:
        """The inputs that samples are made of: all but states with a value to begin with."""
        own = {state.input for state in self.states if state.initial is not None}
        return [info.name for info in self.inputs if info.name not in own]


@dataclass(frozen=True)
class Manifest:
    """What the bundle is and how it was made.

    Everything but ``timings_s`` is the same each time the same model is converted.
    """

    name: str
    edgenn_version: str
    package_versions: Mapping[str, str]
    source: Source
    options: Mapping[str, Any]
    artifacts: tuple[Artifact, ...]
    calibration: Calibration | None = None
    reference: Reference | None = None
    channel_factors: ChannelFactors | None = None
    timings_s: Mapping[str, float] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION

    @property
    def side_files(self) -> dict[str, str]:
        """What lies in the bundle besides artifacts: file → hash."""
        kept = (self.reference, self.channel_factors)
        return {entry.file: entry.sha256 for entry in kept if entry is not None}

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str) -> Self:
        """Reads what ``to_json`` wrote.

        Raises:
            ArtifactError: No manifest, or one of another schema version.
        """
        try:
            data = json.loads(text)
            version = data["schema_version"]
        except (ValueError, TypeError, KeyError) as error:
            raise ArtifactError(f"{where} is no manifest of edgenn") from error
        if version != SCHEMA_VERSION:
            raise ArtifactError(
                f"{where} has schema version {version}, this edgenn reads {SCHEMA_VERSION}",
                "convert the model again",
            )
        try:
            manifest = cls(
                **{
                    **data,
                    "source": Source(**data["source"]),
                    "artifacts": tuple(artifact_from_json(entry) for entry in data["artifacts"]),
                    "calibration": calibration_from_json(data["calibration"]),
                    "reference": optional(Reference, data["reference"]),
                    "channel_factors": optional(ChannelFactors, data.get("channel_factors")),
                }
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ArtifactError(
                f"{where} is damaged: {error}", "convert the model again"
            ) from error
        if not manifest.artifacts:
            raise ArtifactError(f"{where} lists no artifact", "convert the model again")
        return manifest


def optional(cls: type[Any], data: Mapping[str, Any] | None) -> Any:
    return None if data is None else cls(**data)


def calibration_from_json(data: Mapping[str, Any] | None) -> Calibration | None:
    if data is None:
        return None
    ranges = {name: (low, high) for name, (low, high) in data.get("ranges", {}).items()}
    return Calibration(**{**data, "ranges": ranges})


def artifact_from_json(data: Mapping[str, Any]) -> Artifact:
    ports = {key: tuple(tensor_from_json(e) for e in data[key]) for key in ("inputs", "outputs")}
    known = {
        "recurrent": optional(Recurrent, data.get("recurrent")),
        "states": tuple(state_from_json(entry) for entry in data.get("states", ())),
        "time_axes": optional(TimeAxes, data.get("time_axes")),
        "targets": tuple(data.get("targets", ())),
        "precisions": {dtype: tuple(p) for dtype, p in data.get("precisions", {}).items()},
    }
    return Artifact(**{**data, **ports, **known})


def state_from_json(data: Mapping[str, Any]) -> State:
    initial = None if data["initial"] is None else tuple(data["initial"])
    return State(**{**data, "shape": tuple(data["shape"]), "initial": initial})


def tensor_from_json(data: Mapping[str, Any]) -> TensorInfo:
    return TensorInfo(**{**data, "shape": tuple(data["shape"])})
