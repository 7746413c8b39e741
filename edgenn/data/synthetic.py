"""Samples for runs whose numbers nobody looks at."""

from collections.abc import Sequence

import numpy as np

from edgenn.runtime.tensor_info import Array, TensorInfo

STEPS = 16
"""Of dimensions that are left open: mostly time."""


def random_samples(
    inputs: Sequence[TensorInfo], count: int, *, seed: int = 0, steps: int = STEPS
) -> dict[str, Array]:
    """The same samples each time, in real numbers.

    Real numbers are in [0, 1), integers are 0 or 1: both are indices of every table, whatever the
    model looks up with them. Masks keep everything.

    Args:
        inputs: What the artifact takes, batch first.
        count: How many samples.
        steps: The size of dimensions that are open.
    """
    source = np.random.default_rng(seed)
    samples: dict[str, Array] = {}
    for info in inputs:
        shape = (count, *(steps if size is None else size for size in info.shape[1:]))
        dtype = np.dtype(info.dtype)
        if dtype.kind == "b":
            samples[info.name] = np.ones(shape, dtype)
        elif dtype.kind in "iu" and info.scale is None:
            samples[info.name] = source.integers(0, 2, shape, dtype)
        else:
            samples[info.name] = source.random(shape, np.float32)
    return samples
