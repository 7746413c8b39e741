"""What goes into the models of the matrix, and what Keras makes of it."""

from typing import Any

import keras
import numpy as np
from support.recurrent_matrix.building import STEPS, WORDS
from support.recurrent_matrix.comparison import Truth
from support.recurrent_matrix.factors import Case

from edgenn.ir.tensor import Array

SAMPLES = 24
"""A multiple of the fixed batch."""

OTHER_STEPS = 4
"""Another number of steps, where it is open."""

Arrays = dict[str, Array]


def truths_of(case: Case, model: Any) -> list[Truth]:
    """What Keras says: of a number of steps, and of another where it is open."""
    lengths = (STEPS,) if case.length == "fixed" else (STEPS, OTHER_STEPS)
    inputs = [samples(case, model, steps=steps) for steps in lengths]
    return [Truth(arrays, keras_says(model, arrays)) for arrays in inputs]


def samples(case: Case, model: Any, seed: int = 1, steps: int = STEPS) -> Arrays:
    """Samples for each input of a model; some steps are masked where the case has a mask.

    Args:
        steps: Where the length is open.
    """
    rng = np.random.default_rng(seed)
    kept = kept_steps(rng, steps)
    arrays: Arrays = {}
    for tensor in model.inputs:
        shape = (SAMPLES, *(steps if size is None else size for size in tensor.shape[1:]))
        if tensor.name == "mask":
            arrays["mask"] = kept
        elif tensor.dtype == "int32":
            arrays[tensor.name] = (rng.integers(1, WORDS, shape) * kept).astype(np.int32)
        else:
            values = rng.normal(size=shape).astype(np.float32)
            if tensor.name == "x" and case.mask == "masking":
                values *= kept[..., np.newaxis]
            arrays[tensor.name] = values
    return arrays


def kept_steps(rng: np.random.Generator, steps: int) -> Array:
    """Masks ``(B, T)``: ends of many lengths, beginnings, gaps; all steps, and one alone."""
    mask = np.arange(steps) < rng.integers(1, steps + 1, (SAMPLES, 1))
    mask[1::3] = mask[1::3, ::-1]
    mask[2::3] = rng.random((len(mask[2::3]), steps)) < 0.6
    mask[2::3, steps // 2] = True
    mask[3] = True
    return mask


def keras_says(model: Any, arrays: Arrays) -> list[Array]:
    """The model's outputs, flat; states that it keeps begin anew for each batch."""
    batch = model.inputs[0].shape[0] or SAMPLES
    parts = []
    for start in range(0, SAMPLES, batch):
        reset(model)
        given = [arrays[tensor.name][start : start + batch] for tensor in model.inputs]
        results = model(given, training=False)
        parts.append([np.asarray(x) for x in keras.tree.flatten(results)])
    return [np.concatenate(pieces) for pieces in zip(*parts, strict=True)]


def reset(model: Any) -> None:
    """Zeros in the states that layers keep from call to call."""
    for layer in model._flatten_layers():
        for state in keras.tree.flatten(getattr(layer, "states", None) or []):
            state.assign(keras.ops.zeros_like(state))
