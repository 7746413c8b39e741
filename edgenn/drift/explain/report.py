"""What was found about the layers of one artifact: plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edgenn.drift.metrics import Value


@dataclass(frozen=True)
class Histogram:
    """How often values fall between which limits.

    Attributes:
        edges: Limits of the bins, one more than there are bins; at most 257.
        counts: Of each bin.
        clipped_low: How many of them lie at the lower end of what the integers can hold.
        clipped_high: How many of them lie at the upper end.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    clipped_low: int = 0
    clipped_high: int = 0


@dataclass(frozen=True)
class LayerError:
    """What one layer of an artifact has to do with the artifact's error.

    Attributes:
        layer: Path of the Keras layer.
        op: The kind of the op that does most of its work.
        introduced: RMS of the layer's own error / RMS of the Keras layer's output: the artifact's
            layer against the float layer on the artifact's inputs of that layer.
        inherited: RMS of what the errors of earlier layers do to its output, in the same unit.
        total: RMS of its output's error, in the same unit.
        excess: Own error over what rounding explains: about 1 in a healthy file.
        regained: Share of the output's squared error that goes when this layer alone is float.
        gates: Of a recurrent layer, gate → relative error.
        states: Of a recurrent layer, state → relative error.
        steps: Of a recurrent layer, relative error of each time step.
        diagnosis: What is wrong with it, one sentence for each cause found.
        values: The integers that its output holds.
    """

    layer: str
    op: str
    introduced: float
    inherited: float
    total: float
    excess: float
    regained: float | None = None
    gates: Mapping[str, float] = field(default_factory=dict)
    states: Mapping[str, float] = field(default_factory=dict)
    steps: tuple[float, ...] = ()
    diagnosis: tuple[str, ...] = ()
    values: Histogram | None = None


@dataclass(frozen=True)
class Remedy:
    """A way to lessen the error, and what it would bring.

    Attributes:
        layer: Whom it is about; empty where it is about the whole artifact.
        options: Words that ``convert`` accepts.
        metric: What was measured.
        before: Of the artifact as it is.
        after: With the remedy.
        keras: Of the Keras model, where it has such a number.
        bytes_more: What the file grows by.
    """

    layer: str
    options: str
    metric: str
    before: Value
    after: Value
    keras: Value = None
    bytes_more: int | None = None


@dataclass(frozen=True)
class LengthBucket:
    """The error of samples whose sequences are about equally long.

    Attributes:
        low: Shortest length, in steps.
        high: Longest length, in steps.
        samples: How many there are.
        error: Relative L2 of the output.
    """

    low: int
    high: int
    samples: int
    error: float


@dataclass(frozen=True)
class Explanation:
    """Which layer made an artifact wrong.

    Attributes:
        artifact: File name.
        samples: How many were run.
        layers: In the model's order.
        ranking: Paths of layers, the most suspicious first.
        sentence: The result in words.
        remedies: The best first.
        lengths: Error by length of the sequences, of models that take sequences of any length.
        notes: What limits the result.
    """

    artifact: str
    samples: int
    layers: tuple[LayerError, ...]
    ranking: tuple[str, ...]
    sentence: str
    remedies: tuple[Remedy, ...] = ()
    lengths: tuple[LengthBucket, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_measured(self) -> bool:
        """Whether layers were switched to float, which is only done where somebody asks."""
        return any(entry.regained is not None for entry in self.layers)
