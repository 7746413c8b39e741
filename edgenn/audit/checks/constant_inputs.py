"""Inputs, or parts of them, that never change: what they do in use is not calibrated."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from edgenn.audit.evidence import Evidence, check
from edgenn.audit.report import Finding
from edgenn.audit.roles import real_inputs
from edgenn.audit.survey import Extremes, Survey
from edgenn.audit.words import counted, listed, number, percent

TYPICAL = "give typical samples, scaled as in use"
PICTURE_RANK = 3
"""Of one sample: height, width, channels. A colour that never changes is a mistake; a column of a
table, or a pixel of a flattened picture, may well be as it should."""


@check("constant")
def constant_inputs(evidence: Evidence) -> Iterator[Finding]:
    for public, extremes in evidence.calibration.inputs.items():
        if extremes.low.dtype.kind == "b":  # a mask that leaves nothing out is as good as any
            continue
        words = constant_words(public, extremes, evidence.calibration)
        if words:
            yield Finding("constant", "warning", words, TYPICAL, (public,), share=1.0)
        elif public in real_inputs(evidence.graph) and len(evidence.calibration) > 1:
            other = None if evidence.evaluation is None else evidence.evaluation.inputs[public]
            yield from dead_channels(public, extremes, other)
            yield from still_positions(public, extremes)


def constant_words(public: str, extremes: Extremes, seen: Survey) -> str | None:
    """What is wrong with an input whose samples say nothing."""
    low, high = extremes.low, extremes.high
    if low.min() == high.max():
        what = "zeros" if low.max() == 0 else f"the number {number(float(low.max()))}"
        return f"the calibration data of {public!r} hold nothing but {what}"
    if len(seen) > 1 and np.array_equal(low, high):
        return f"all {len(seen):,} calibration samples of {public!r} are the same"
    return None


def dead_channels(public: str, own: Extremes, other: Extremes | None) -> Iterator[Finding]:
    """Channels that hold one number in every sample, wherever they are."""
    dead = constant_channels(own)
    if not dead.any():
        return
    alive = dead & ~constant_channels(other) if other is not None else dead & False
    what = counted(len(dead), "channel" if own.low.ndim > 1 else "feature")
    message = (
        f"{int(dead.sum())} of {what} of {public!r} never change in the calibration data:"
        f" number {listed(np.flatnonzero(dead).tolist())}"
    )
    if alive.any():
        message += f"; {int(alive.sum())} of them do in the evaluation data"
    yield Finding(
        "constant",
        "warning" if alive.any() or own.low.ndim >= PICTURE_RANK else "note",
        message,
        "give samples in which they do, if they do in use",
        (public,),
        share=float(dead.mean()),
    )


def constant_channels(extremes: Extremes) -> NDArray[np.bool_]:
    """Of each channel (last axis), whether it holds a single number."""
    low, high = channels(extremes)
    return np.asarray(low.min(axis=0) == high.max(axis=0))


def channels(extremes: Extremes) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Both extremes, ``(positions, channels)``; a sample that is a single number has one."""
    count = extremes.low.shape[-1] if extremes.low.ndim else 1
    return extremes.low.reshape(-1, count), extremes.high.reshape(-1, count)


def still_positions(public: str, extremes: Extremes) -> Iterator[Finding]:
    """Numbers that never change, in channels that do elsewhere."""
    low, high = channels(extremes)
    still = (low == high) & ~constant_channels(extremes)
    if still.any():
        share = float(still.mean())
        yield Finding(
            "constant",
            "note",
            f"{int(still.sum()):,} of {still.size:,} positions of {public!r} hold the same number"
            f" in every sample ({percent(share)})",
            "as it should be at the border of pictures and in padding",
            (public,),
            share=share,
        )
