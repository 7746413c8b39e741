"""Weights that are not those of Keras: scaled, zero, turned round, in another order."""

from collections.abc import Iterator
from itertools import permutations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgenn.drift.explain.constants import Pair
from edgenn.drift.explain.diagnosis.case import Case
from edgenn.drift.explain.excess import LIMIT, excess_of

Values = NDArray[np.float64]

SAME: Final = 0.05
"""Relative error up to which weights count as the same."""
ALIKE: Final = 0.5
"""Correlation below which weights have nothing to do with each other."""


def zero_channels(case: Case) -> str | None:
    """Channels of zeros that Keras does not have."""
    for pair in case.weights():
        ours, theirs = pair.by_channel(pair.ours), pair.by_channel(pair.theirs)
        largest = np.abs(ours).max(axis=1)
        zero = (theirs == 0).all(axis=1) & (largest > 2 * pair.steps)
        if zero.all() and zero.any():
            return f"all of {pair.name} is zero; Keras has up to {largest.max():.3g}"
        if zero.any():
            which = listed(np.flatnonzero(zero))
            peak = largest[zero].max()
            return f"{which} of {pair.name} is zero; Keras has up to {peak:.3g}"
    return None


def scaled(case: Case) -> str | None:
    """Weights that are a multiple of Keras's."""
    for pair in case.weights():
        ours, theirs = pair.by_channel(pair.ours), pair.by_channel(pair.theirs)
        power = np.square(ours).sum(axis=1)
        factors = (ours * theirs).sum(axis=1) / np.maximum(power, 1e-30)
        rest = np.linalg.norm(theirs - factors[:, None] * ours, axis=1)
        allowed = SAME * np.abs(factors) * np.sqrt(power) + pair.steps * np.sqrt(ours.shape[1])
        known = (power > 0) & (factors != 0) & (rest < allowed)
        wrong = known & (np.abs(factors - 1) > 2 * SAME)
        if wrong.any():
            factor = float(np.median(factors[wrong]))
            what = pair.name if wrong.sum() > known.sum() / 2 else f"{listed_of(wrong)} {pair.name}"
            return f"{what} is {factor:.3g} times that of Keras"
    return None


def listed_of(which: NDArray[np.bool_]) -> str:
    return f"{listed(np.flatnonzero(which))} of"


def listed(channels: NDArray[np.intp]) -> str:
    """``channel 3``, ``channels 3, 5``."""
    numbers = ", ".join(str(c) for c in channels[:5])
    more = f" and {len(channels) - 5} more" if len(channels) > 5 else ""
    return f"channel{'s' if len(channels) > 1 else ''} {numbers}{more}"


def turned(case: Case) -> str | None:
    """Kernels that are transposed or flipped."""
    for pair in case.weights():
        if is_same(pair.theirs, pair.ours, pair):
            continue
        for words, ours in turns(pair.ours):
            if ours.shape == pair.theirs.shape and is_same(pair.theirs, ours, pair):
                return f"{pair.name} is {words}"
    return None


def turns(ours: Values) -> Iterator[tuple[str, Values]]:
    if ours.ndim == 4:
        yield "transposed: height and width are swapped", ours.swapaxes(1, 2)
        yield "flipped in height and width", ours[:, ::-1, ::-1]
        yield "flipped in width", ours[:, :, ::-1]
        yield "flipped in height", ours[:, ::-1]
        yield "transposed: inputs and outputs are swapped", ours.swapaxes(0, 3)
    elif ours.ndim == 2:
        yield "transposed: inputs and outputs are swapped", ours.T


def gates_in_another_order(case: Case) -> str | None:
    """Blocks of a recurrent layer's weights that stand in the place of others."""
    for pair in case.layer.constants:
        gates = case.gates_of(pair)
        if not gates or len(pair.ours) % len(gates) or is_same(pair.theirs, pair.ours, pair):
            continue
        blocks = np.split(pair.ours, len(gates))
        for order in permutations(range(len(gates))):
            swapped = np.concatenate([blocks[i] for i in order])
            if is_same(pair.theirs, swapped, pair):
                moved = [gates[i] for place, i in enumerate(order) if place != i]
                return f"{pair.name} has the rows of the gates {' and '.join(moved)} swapped"
    return None


def other_weights(case: Case) -> str | None:
    """Weights that have little or nothing to do with Keras's."""
    for pair in case.weights():
        if pair.ours.size < 16 or not pair.theirs.any():
            continue
        correlation = float(np.corrcoef(pair.ours.ravel(), pair.theirs.ravel())[0, 1])
        is_other = correlation < ALIKE
        if not (is_other or excess_of(pair) > LIMIT) or explained_otherwise(case, pair):
            continue
        if is_other:
            return (
                f"{pair.name} holds other weights than Keras (correlation {correlation:.2f}): "
                "another training, or another model"
            )
        off = np.linalg.norm(pair.theirs - pair.ours) / np.linalg.norm(pair.ours)
        return f"the weights {pair.name} are {off:.1%} off those of Keras: another training"
    return None


def explained_otherwise(case: Case, pair: Pair) -> bool:
    found = (f(case) for f in (zero_channels, scaled, turned, gates_in_another_order))
    return any(sentence and pair.name in sentence for sentence in found)


def is_same(theirs: Values, ours: Values, pair: Pair) -> bool:
    """Whether values agree up to how finely they are stored."""
    error = np.linalg.norm(theirs - ours)
    rounding = float(pair.steps.max()) * np.sqrt(ours.size)
    return bool(error < SAME * np.linalg.norm(ours) + rounding)
