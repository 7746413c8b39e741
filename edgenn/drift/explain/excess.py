"""Own error over what rounding explains, in several ways of looking at a layer.

Each statistic is about 1 or less in a healthy file, whatever the scheme, the model and the
samples, and much more where something is wrong; ``LIMIT`` stands between. The largest counts and
says what is the matter. Rounding to the nearest is an error of uniform distribution: RMS
1/√12 = 0.289 of a step, mean 0 (Widrow and Kollár 2008, *Quantization Noise*, chapter 5).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np

from edgenn.drift.explain.comparison import Arithmetic, SharedTensor
from edgenn.drift.explain.constants import Pair
from edgenn.drift.explain.sums import Grid, OpSums, Sum, TensorSums
from edgenn.quantization.parameters import SMALLEST_RANGE

LIMIT: Final = 2.0
"""Excess beyond which a layer is at fault."""

UNIFORM: Final = 1 / 12
"""Mean square of a rounding error, in steps²."""
FLOAT_ERROR: Final = 3e-6
"""Relative error of float32 kernels that sum in another order."""
PRIOR: Final = 50
"""Values of a healthy op that each op's own are counted together with: few values prove little."""
LARGEST_SHIFT: Final = 0.3
"""Steps by which a kernel's mean error may be off: LiteRT's int16 MEAN is by 0.22."""
CHANNEL_SPREAD: Final = 4.0
"""How far the worst channel of many may stand out: biases are corrected by the mean inputs of
the calibration data, which are not those of the samples."""
ROUNDED: Final = 2.0
"""How much more than uniformly a channel's weights may be off; few weights spread."""
COMPENSATED: Final = 10.0
"""The same where weights are rounded so that their products' errors cancel out."""
POWER_OF_STATES: Final = 1.0
"""Mean square of what loops hand from step to step, at most: it is mostly what tanh gives."""
BEYOND: Final = 0.03
"""Share of values beyond the grid that other samples than the calibration data may have."""
UNUSED: Final = 8.0
"""Times that a grid may be wider than what it holds."""
KERNEL_STEPS: Final[Mapping[tuple[str, str], float]] = {
    ("softmax", "int16"): 16.0,
    ("log_softmax", "int8"): 3.0,
    ("logistic", "int16"): 4.0,
    ("tanh", "int16"): 4.0,
    ("mean", "int16"): 1.5,
    ("rsqrt", "int16"): 16.0,
    ("gelu", "int16"): 4.0,
    ("lstm", "int8"): 4.0,
}
"""How many times the error of one rounding kernels of LiteRT have: those that look values up, and
the fused LSTM, whose gates and states are rounded at every step out of sight."""


@dataclass(frozen=True)
class Layer:
    """All that is known of one layer.

    Attributes:
        tensors: Shared ones that it makes, with the grids that the artifact has them on.
        ops: Of the artifact, that belong to it.
        constants: Its weights, biases and other numbers.
        holding: The artifact's tensors whose grids should hold all values.
        own_grid: Those among them whose grids are for them alone.
        power: Tensor of the float graph → its mean square, in samples or calibration data.
    """

    name: str
    kind: str
    tensors: list[tuple[SharedTensor, TensorSums, Grid]]
    ops: list[tuple[Arithmetic, OpSums, str]]
    constants: list[Pair]
    holding: frozenset[str]
    own_grid: frozenset[str]
    power: Mapping[str, float]


def explained(sums: TensorSums, grid: Grid, precision: float) -> Sum:
    """Mean square that rounding explains, channel by channel.

    Args:
        precision: Of the op's kernel, in roundings.
    """
    step = UNIFORM * (grid.step * precision) ** 2
    floats = FLOAT_ERROR**2 * sums["forced²"] / max(sums.count, 1)
    return np.maximum(sums["twin²"] / max(sums.count, 1), step + floats) + 1e-30


def precision_of(layer: Layer, tensor: str, grid: Grid) -> float:
    kinds = {layer.kind, *(entry.op.kind for entry, _, _ in layer.ops if entry.actual == tensor)}
    return max(KERNEL_STEPS.get((kind, grid.dtype), 1.0) for kind in kinds)


def own_error(layer: Layer) -> float:
    """RMS of the own error of a tensor over that of its healthy twin."""
    worst = 0.0
    for entry, sums, grid in layer.tensors:
        expected = explained(sums, grid, precision_of(layer, entry.actual, grid))
        own = sums["own²"] / max(sums.count, 1)
        worst = max(worst, sqrt(own.sum() / expected.sum()))
    return worst


def worst_channel(layer: Layer) -> float:
    """The same for the channel that stands out most; half of it over all channels' mean."""
    worst = 0.0
    for entry, sums, grid in layer.tensors:
        expected = explained(sums, grid, precision_of(layer, entry.actual, grid))
        own = sums["own²"] / max(sums.count, 1)
        ratios = own / ((expected + expected.mean()) / 2)
        worst = max(worst, sqrt(ratios.max()) / CHANNEL_SPREAD)
    return worst


def arithmetic_error(layer: Layer) -> float:
    """RMS of an op's error in steps over that of one rounding."""
    worst = 0.0
    for entry, sums, dtype in layer.ops:
        count = sums["values"].sum()
        square = (sums["steps²"].sum() + PRIOR * UNIFORM) / (count + PRIOR)
        precision = KERNEL_STEPS.get((entry.op.kind, dtype), 1.0)
        worst = max(worst, sqrt(square / UNIFORM) / precision)
    return worst


def arithmetic_shift(layer: Layer) -> float:
    """Mean of an op's error in steps: a zero point that is off by one shifts all values by 1."""
    worst = 0.0
    for entry, sums, dtype in layer.ops:
        mean = abs(sums["steps"].sum()) / (sums["values"].sum() + PRIOR)
        precision = KERNEL_STEPS.get((entry.op.kind, dtype), 1.0)
        worst = max(worst, mean / LARGEST_SHIFT / precision)
    return worst


def weights_error(layer: Layer) -> float:
    """RMS of a channel's weights against Keras, in roundings."""
    return max((excess_of(pair) for pair in layer.constants if not pair.is_bias), default=0.0)


def excess_of(weights: Pair) -> float:
    """The same of one constant."""
    allowed = COMPENSATED if weights.compensated else ROUNDED
    return float(weights.error_in_steps.max()) / sqrt(UNIFORM) / allowed


def bias_error(layer: Layer) -> float:
    """RMS of a bias's error over what correcting it for rounded weights may add.

    A correction is ΔW · E[x]. With ΔW uniform over one step of the weights its mean square is
    step² / 12 · Σ E[x]², and E[x]² is at most the mean square of x.
    """
    worst = 0.0
    for bias in layer.constants:
        if not bias.is_bias:
            continue
        weights = [p for p in layer.constants if p.op.name == bias.op.name and not p.is_bias]
        allowed = UNIFORM * np.square(bias.steps)
        for pair in weights if bias.theirs.any() else ():  # no correction gives zeros
            power = layer.power.get(bias.op.inputs[0], POWER_OF_STATES)
            spread = COMPENSATED if pair.compensated else 1.0
            taps = pair.by_channel(pair.ours).shape[1]
            if len(pair.steps) in (1, len(allowed)):
                allowed = allowed + UNIFORM * np.square(pair.steps * spread) * taps * power
        error = np.square(bias.theirs - bias.ours)
        worst = max(worst, sqrt(error.mean() / allowed.mean()))
    return worst


def saturation(layer: Layer) -> float:
    """Share of values that lie beyond the grid."""
    shares = [
        sums["beyond"].sum() / max(sums.count * len(sums["own²"]), 1)
        for entry, sums, grid in layer.tensors
        if grid.is_integer and entry.actual in layer.holding
    ]
    return max(shares, default=0.0) / BEYOND


def unused_range(layer: Layer) -> float:
    """How much wider an 8-bit grid is than the values."""
    ratios = []
    for entry, sums, grid in layer.tensors:
        if grid.dtype not in ("int8", "uint8") or entry.actual not in layer.own_grid:
            continue
        low, high = grid.limits
        used = max(sums.high, 0.0) - min(sums.low, 0.0)
        if used > SMALLEST_RANGE:  # what is dead gets a grid that means nothing
            ratios.append((high - low) / used / UNUSED)
    return max(ratios, default=0.0)


STATISTICS: Final[Mapping[str, Callable[[Layer], float]]] = {
    "own error": own_error,
    "worst channel": worst_channel,
    "arithmetic": arithmetic_error,
    "zero point": arithmetic_shift,
    "weights": weights_error,
    "bias": bias_error,
    "saturation": saturation,
    "unused range": unused_range,
}

OF_ARITHMETIC: Final = frozenset({"arithmetic", "zero point"})
"""Statistics that judge an op on its own operands, whatever Keras has."""
OF_RANGES: Final = frozenset({"saturation", "unused range"})
"""Statistics that judge a grid, not what is computed."""


def statistics_of(layer: Layer) -> dict[str, float]:
    """Every statistic by name."""
    return {name: float(statistic(layer)) for name, statistic in STATISTICS.items()}
