"""Samples in batches and on several threads, in a runner's child process.

Engines let go of Python's lock while they compute, so sessions of one file run side by side in
one process; each has an interpreter of its own, and one start-up serves them all.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Final

import numpy as np

from edgenn.runtime import Session
from edgenn.runtime.tensor_info import Array

LARGEST_BATCH: Final = 32
"""Samples at once: more gain next to nothing, and what they need in memory grows all the same."""
BATCH_BYTES: Final = 1 << 18
"""Of the inputs of a batch: where one sample fills it, a call's fixed cost is nothing beside it."""

Outputs = dict[str, Array]


class Lanes:
    """Sessions of one artifact that share samples.

    Args:
        open_session: Opens another one.
        first: The one that is open.
    """

    def __init__(self, first: Session, open_session: Callable[[], Session]) -> None:
        self._sessions = [first]
        self._open = open_session

    def run(
        self,
        inputs: Mapping[str, Array],
        lanes: int,
        batch: int,
        run: Callable[[Session, dict[str, Array]], Outputs],
    ) -> Outputs:
        """The outputs of all samples in order; each lane runs consecutive ones.

        Args:
            inputs: Input name → array, samples first.
            lanes: How many there are at most.
            batch: Samples that are not to be torn apart: however many lanes there are, the
                numbers are the same.
            run: Runs a share of the samples on a session.
        """
        batches = -(-len(next(iter(inputs.values()))) // batch)
        lanes = min(lanes, batches)
        while len(self._sessions) < lanes:
            self._sessions.append(self._open())
        bounds = batch * np.linspace(0, batches, lanes + 1).astype(int)
        shares = [
            {name: array[start:stop] for name, array in inputs.items()}
            for start, stop in pairwise(bounds)
        ]
        if lanes == 1:
            return run(self._sessions[0], shares[0])
        with ThreadPoolExecutor(lanes) as pool:
            parts = list(pool.map(run, self._sessions[:lanes], shares))
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def close(self) -> None:
        for session in self._sessions:
            session.close()


def batch_of(inputs: Mapping[str, Array]) -> int:
    """How many samples pay off at once: a power of two, by size alone, so that runs repeat."""
    count = len(next(iter(inputs.values())))
    sample_bytes = max(1, sum(array.nbytes for array in inputs.values()) // count)
    return power_of_two(max(1, min(LARGEST_BATCH, BATCH_BYTES // sample_bytes)))


def power_of_two(largest: int) -> int:
    """The largest power of two up to a number."""
    return 1 << largest.bit_length() - 1
