"""Outputs that are no numbers, counted part by part."""

from collections.abc import Mapping

import numpy as np

from edgenn.runtime.tensor_info import Array


class NotNumbers:
    """Counts NaN and infinite values."""

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}
        self._bad: dict[str, int] = {}

    def add(self, outputs: Mapping[str, Array]) -> None:
        for name, array in outputs.items():
            bad = int(array.size - np.isfinite(array).sum()) if array.dtype.kind == "f" else 0
            self._sizes[name] = self._sizes.get(name, 0) + array.size
            self._bad[name] = self._bad.get(name, 0) + bad

    def findings(self) -> tuple[str, ...]:
        """A line for each output that has some."""
        return tuple(
            f"output {name!r}: {bad} of {self._sizes[name]} values are NaN or infinite"
            for name, bad in self._bad.items()
            if bad
        )


def findings_in(outputs: Mapping[str, Array]) -> tuple[str, ...]:
    """What is wrong with outputs that are all there."""
    count = NotNumbers()
    count.add(outputs)
    return count.findings()
