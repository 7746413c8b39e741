"""How samples go to a child process and outputs come back, part by part."""

from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np

from edgenn.data.mapped import let_go
from edgenn.errors import DataError, EngineError
from edgenn.runners.batching import power_of_two
from edgenn.runners.protocol import Message
from edgenn.runtime.tensor_info import Array

MESSAGE_BYTES = 1 << 24
"""Samples that go to the child in one message; bounds the memory on both sides."""

PART_BYTES = 1 << 19
"""Of one message of many: enough to make the way there cheap, and few enough that the outputs of
one part are dealt with while the next one runs."""

SAMPLES_A_LANE = 8
"""At least in a message, where they are large: threads that share it have to get some each."""

TOLERANCE = 1e-6
"""By which numbers may differ when they come in batches, as a share of the output's largest:
float sums in another order."""

Samples = Mapping[str, Array]


class Process(Protocol):
    def ask(self, message: Message | None = None) -> Message: ...


class Parts:
    """The samples of one run on their way.

    Args:
        process: Has the artifact open.
        chunk: Steps of a sequence to give at once.
        timed: How many samples are run one at a time and timed; ``None`` for all.
        batch: That the artifact is fixed to; ``None`` where it is open.
        batches: Whether the others may go in batches.
        lanes: Threads that share them.

    Attributes:
        latencies_ms: Of the timed samples.
        step_latencies_ms: Of their steps.
        facts: What the engine knows, its memory while it ran one sample at a time.
    """

    def __init__(
        self,
        process: Process,
        *,
        chunk: int | None = None,
        timed: int | None = None,
        batch: int | None = None,
        batches: bool = False,
        lanes: int = 1,
    ) -> None:
        self._process = process
        self._chunk = chunk
        self._timed = timed
        self._batch = batch or 1
        self._batches = batches and batch is None
        self._lanes = lanes
        self._tried = True
        self.latencies_ms: list[float] = []
        self.step_latencies_ms: list[float] = []
        self.facts: dict[str, Any] = {}

    def outputs(self, inputs: Samples, count: int) -> Generator[tuple[int, Samples]]:
        """How many samples are done, and the outputs of the last of them, in order."""
        timed = self._timed_of(count)
        size = rows_within(MESSAGE_BYTES, inputs, count)
        self._tried = timed == count or not self._batches
        for stop, part in split(inputs, 0, timed, self._whole_batches(size)):
            answer = self._ask_timed(part)
            if not self._tried:  # before anything is handed on: the engine may not survive it
                self._batches = self._same_in_batches(part, answer)
                self._tried = True
            yield stop, answer
        if timed < count:
            # a power of two, as batches are: the last one of a message is not smaller
            rows = power_of_two(rows_within(PART_BYTES, inputs, count, answer))
            rows = min(size, max(rows, SAMPLES_A_LANE * self._lanes))
            yield from self._ahead(split(inputs, timed, count, self._whole_batches(rows)))

    def _timed_of(self, count: int) -> int:
        """The samples that are timed: whole batches, and one at least."""
        if self._timed is None:
            return count
        return min(count, -(-max(1, self._timed) // self._batch) * self._batch)

    def _whole_batches(self, rows: int) -> int:
        return max(1, rows // self._batch) * self._batch

    def _ask_timed(self, part: Samples) -> Samples:
        answer = self._process.ask(Message({"run": True, "chunk": self._chunk}, part))
        self.latencies_ms += answer.values["latencies_ms"]
        self.step_latencies_ms += answer.values["step_latencies_ms"]
        memory = self.facts.get("peak_memory_bytes") if self._tried else None
        self.facts.update(answer.values["facts"])
        if memory is not None:  # of one sample, not of the batches that were tried
            self.facts["peak_memory_bytes"] = memory
        return answer.arrays

    def _ask(self, part: Samples, *, batched: bool) -> Samples:
        said = {"run": True, "chunk": self._chunk, "batched": batched, "lanes": self._lanes}
        return self._process.ask(Message(said, part)).arrays

    def _same_in_batches(self, part: Samples, outputs: Samples) -> bool:
        """Whether samples that ran one at a time give the same in a batch."""
        if len(next(iter(part.values()))) == 1:  # it proves nothing
            return False
        try:
            together = self._ask(part, batched=True)
        except (DataError, EngineError) as error:
            if getattr(self._process, "is_alive", True):
                return False  # a file whose inner shapes are fixed
            raise DiedInBatchError from error
        return all(same(outputs[name], together[name]) for name in outputs)

    def _ahead(self, parts: Iterable[tuple[int, Samples]]) -> Iterator[tuple[int, Samples]]:
        """The child is at work on one part while the outputs of the last are dealt with."""
        pool = ThreadPoolExecutor(1)
        try:
            waiting = None
            for stop, part in parts:
                coming = pool.submit(self._ask, part, batched=self._batches)
                if waiting is not None:
                    yield waiting[0], waiting[1].result()
                waiting = stop, coming
            if waiting is not None:
                yield waiting[0], waiting[1].result()
        except BaseException as error:
            # whoever interrupts does not wait for an answer: the child is about to be stopped
            pool.shutdown(wait=not isinstance(error, KeyboardInterrupt), cancel_futures=True)
            raise
        pool.shutdown()


class DiedInBatchError(Exception):
    """A file that its engine runs one sample at a time, but not several."""


def same(alone: Array, together: Array) -> bool:
    """Whether outputs are equal; floats may differ by ``TOLERANCE``."""
    if alone.shape != together.shape or alone.dtype != together.dtype:
        return False
    if np.array_equal(alone, together, equal_nan=alone.dtype.kind == "f"):
        return True
    if alone.dtype.kind != "f":
        return False
    finite = np.isfinite(alone)
    if not np.array_equal(finite, np.isfinite(together)):
        return False
    largest = float(np.abs(alone[finite]).max(initial=0))
    return bool(np.abs(alone[finite] - together[finite]).max(initial=0) <= TOLERANCE * largest)


def split(inputs: Samples, start: int, stop: int, rows: int) -> Iterator[tuple[int, Samples]]:
    """The samples from ``start`` to ``stop`` in parts, each with where it ends."""
    for first in range(start, stop, rows):
        last = min(first + rows, stop)
        yield last, {name: array[first:last] for name, array in inputs.items()}
        let_go(*inputs.values())


def rows_within(
    size_bytes: int, inputs: Samples, count: int, outputs: Samples | None = None
) -> int:
    """How many samples, and their outputs, stay within so many bytes; 1 at least."""
    in_bytes = sum(array.nbytes for array in inputs.values()) // count
    out_bytes = sum(array.nbytes // max(1, len(array)) for array in (outputs or {}).values())
    return max(1, size_bytes // max(1, in_bytes, out_bytes))
