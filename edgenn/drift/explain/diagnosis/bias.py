"""Biases that are missing or others than Keras's."""

import numpy as np

from edgenn.drift.explain.diagnosis.case import Case
from edgenn.drift.explain.excess import LIMIT


def missing_bias(case: Case) -> str | None:
    """A bias of zeros, or none at all."""
    for pair in case.biases():
        if not pair.theirs.any() and np.abs(pair.ours).max() > 2 * pair.steps.max():
            return f"the bias {pair.name} is missing; Keras has up to {np.abs(pair.ours).max():.3g}"
    for ours, theirs in case.ops():
        index = ours.operator.bias_input
        if index is None or index >= len(ours.inputs) or index < len(theirs.inputs):
            continue
        data = case.reference.tensors[ours.inputs[index]].data
        if data is not None and data.any():
            name = ours.inputs[index]
            return f"the bias {name} is missing; Keras has up to {np.abs(data).max():.3g}"
    return None


def wrong_bias(case: Case) -> str | None:
    """A bias that differs from Keras's by more than its correction for rounded weights would."""
    if case.statistics["bias"] < LIMIT:
        return None
    for pair in case.biases():
        error = np.abs(pair.theirs - pair.ours)
        largest = np.abs(pair.ours).max()
        if pair.theirs.any() and error.max() > max(0.25 * largest, 4 * pair.steps.max()):
            channel = int(error.argmax())
            return (
                f"channel {channel} of the bias {pair.name} is {pair.theirs[channel]:.3g}; "
                f"Keras has {pair.ours[channel]:.3g}"
            )
    return None
