"""Inputs, or parts of them, that never change: nothing is learned from them."""

from collections.abc import Iterator

import numpy as np

from edgenn.audit.evidence import Evidence, check
from edgenn.audit.report import Finding
from edgenn.audit.roles import real_inputs
from edgenn.audit.survey import Extremes, Survey
from edgenn.audit.words import counted, listed, number, percent

TYPICAL = "give typical samples, scaled as in use"


@check("constant")
def constant_inputs(evidence: Evidence) -> Iterator[Finding]:
    masks = [name for name, extremes in evidence.calibration.inputs.items() if is_mask(extremes)]
    for public, extremes in evidence.calibration.inputs.items():
        if public in masks:  # that nothing is left out is as good as any other mask
            continue
        words = constant_words(public, extremes, evidence.calibration)
        if words:
            yield Finding("constant", "warning", words, TYPICAL, tensors=(public,), share=1.0)
        elif public in real_inputs(evidence.graph) and len(evidence.calibration) > 1:
            yield from dead_parts(public, extremes)


def is_mask(extremes: Extremes) -> bool:
    return extremes.low.dtype.kind == "b"


def constant_words(public: str, extremes: Extremes, seen: Survey) -> str | None:
    """What an input holds that says nothing."""
    low, high = extremes.low, extremes.high
    if low.min() == high.max():
        what = "zeros" if low.max() == 0 else f"the number {number(float(low.max()))}"
        return f"the calibration data of {public!r} hold nothing but {what}"
    if len(seen) > 1 and np.array_equal(low, high):
        return f"all {len(seen):,} calibration samples of {public!r} are the same"
    return None


def dead_parts(public: str, extremes: Extremes) -> Iterator[Finding]:
    """Channels that hold one number wherever they are, and positions that never change."""
    low = extremes.low.reshape(-1, extremes.low.shape[-1]) if extremes.low.ndim else None
    if low is None:
        return
    high = extremes.high.reshape(low.shape)
    dead = low.min(axis=0) == high.max(axis=0)
    if dead.any():
        what = counted(len(dead), "channel" if extremes.low.ndim > 1 else "feature")
        message = (
            f"{int(dead.sum())} of {what} of {public!r} never change:"
            f" number {listed(np.flatnonzero(dead).tolist())}"
        )
        remedy = "give samples in which they do, if they do in use"
        yield Finding("constant", "warning", message, remedy, (public,), share=float(dead.mean()))
    still = (low == high) & ~dead
    if still.any():
        share = float(still.mean())
        message = (
            f"{int(still.sum()):,} of {still.size:,} positions of {public!r} hold the same number"
            f" in every sample ({percent(share)})"
        )
        remedy = "as it should be at the border of pictures and in padding"
        yield Finding("constant", "note", message, remedy, (public,), share=share)
