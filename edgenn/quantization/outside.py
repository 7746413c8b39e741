"""Values outside of limits, counted."""

from dataclasses import dataclass

import numpy as np

from edgenn.ir.tensor import Array


@dataclass
class Outside:
    """How often, in which samples and how far values of a tensor lie outside of limits.

    Attributes:
        low, high: The limits.
        values: How many came.
        samples: Likewise, along the first axis.
        outside: How many values lay outside.
        samples_outside: How many samples held such a value.
        farthest: How far outside the farthest lay.
        worst_sample: The one that it was in; -1 if there is none.
    """

    low: float
    high: float
    values: int = 0
    samples: int = 0
    outside: int = 0
    samples_outside: int = 0
    farthest: float = 0.0
    worst_sample: int = -1

    def update(self, values: Array) -> None:
        """Takes in one batch of values, samples first."""
        samples = values.reshape(len(values), -1)
        distance = np.maximum(self.low - samples.min(axis=1), samples.max(axis=1) - self.high)
        bad = samples[distance > 0]
        if len(bad):
            self.outside += int(((bad < self.low) | (bad > self.high)).sum())
            self.samples_outside += len(bad)
            worst = int(distance.argmax())
            if distance[worst] > self.farthest:
                self.farthest = float(distance[worst])
                self.worst_sample = self.samples + worst
        self.values += samples.size
        self.samples += len(samples)
