"""The child process of a runner: ``python -m edgenn.runners.worker MODULE:CALLABLE``.

It opens one artifact after the other, says what each is, and answers each message of samples with
one of outputs until its input ends. Imports NumPy and the engine, so that it starts at once, and
so that it runs in an environment that has nothing else.
"""

import importlib
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np

from edgenn.errors import EdgennError, UsageError
from edgenn.runners.batching import Lanes, batch_of
from edgenn.runners.memory import PeakMemory
from edgenn.runners.protocol import Message, own_answers, read_message, write_message
from edgenn.runners.streaming import Streamed, run_sequences
from edgenn.runtime import Session, StepInfo
from edgenn.runtime.tensor_info import Array

Opener = Callable[[Path, Mapping[str, Any]], Any]
"""What a runner's ``engine`` names."""


def main() -> None:
    answers = own_answers()
    module, _, name = sys.argv[1].partition(":")
    serve(getattr(importlib.import_module(module), name), sys.stdin.buffer, answers)


def serve(opener: Opener, requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answers requests until they end; what goes wrong with one is its answer."""
    opened: Opened | None = None
    while (request := read_message(requests)) is not None:
        try:
            if "open" in request.values:
                if opened is not None:
                    opened.close()
                opened = None  # its memory is not the next one's
                opened = Opened(opener, Path(request.values["open"]), request.values["options"])
                answer = Message(opened.description())
            elif opened is None:
                raise UsageError("no artifact is open")
            else:
                answer = opened.run(request)
        except EdgennError as error:
            kind = type(error).__name__
            answer = Message({"error": kind, "message": error.message, "hint": error.hint})
        write_message(answers, answer)


class Opened:
    """An artifact in an engine."""

    def __init__(self, opener: Opener, path: Path, options: Mapping[str, Any]) -> None:
        self.memory = PeakMemory()
        began = time.perf_counter()
        self.engine = opener(path, options)
        self.session = None
        if hasattr(self.engine, "run"):  # an estimator computes nothing
            self.session = Session(path, engine=lambda *_: self.engine)
            self.lanes = Lanes(
                self.session, lambda: Session(path, engine=lambda *_: opener(path, options))
            )
        self.load_ms = (time.perf_counter() - began) * 1e3

    def facts(self) -> dict[str, Any]:
        return {
            **getattr(self.engine, "facts", {}),
            "load_ms": self.load_ms,
            "peak_memory_bytes": self.memory.growth_bytes(),
        }

    def description(self) -> dict[str, Any]:
        """What samples go in and come out; the states of a step are no affair of theirs."""
        values = {"version": self.engine.version, "inputs": [], "outputs": []}
        if (session := self.session) is not None:
            step = session.step or StepInfo()
            values["inputs"] = [asdict(info) for info in step.data_inputs(session.inputs)]
            values["outputs"] = [asdict(info) for info in step.data_outputs(session.outputs)]
        return {**values, "facts": self.facts()}

    def run(self, request: Message) -> Message:
        if self.session is None:
            raise UsageError(f"{self.engine.version} computes no outputs")
        chunk, inputs = request.values["chunk"], dict(request.arrays)
        if "batched" in request.values:  # nobody wants to know how long it takes
            batch = batch_of(inputs) if request.values["batched"] else 1
            outputs = self.lanes.run(
                inputs,
                request.values["lanes"],
                batch,
                lambda session, share: run_samples(session, share, chunk, batch).outputs,
            )
            return Message({}, outputs)
        streamed = run_samples(self.session, inputs, chunk)
        values = {
            "latencies_ms": streamed.latencies_ms,
            "step_latencies_ms": streamed.step_latencies_ms,
            "facts": self.facts(),
        }
        return Message(values, streamed.outputs)

    def close(self) -> None:
        if self.session is not None:
            self.lanes.close()


def run_samples(
    session: Session, inputs: dict[str, Array], chunk: int | None = None, batch: int = 1
) -> Streamed:
    """All samples, whole sequences where the artifact runs one step.

    Args:
        chunk: Steps of a sequence to give at once.
        batch: How many samples to give at once; the artifact's own where that is fixed.
    """
    if chunk is not None or session.step is not None:
        return run_sequences(session, inputs, chunk, batch)
    return run_whole(session, inputs, batch)


def run_whole(session: Session, inputs: dict[str, Array], batch: int) -> Streamed:
    """One sample at a time, as a device would, or a batch; how long each sample took."""
    step = session.batch or batch
    count = len(next(iter(inputs.values())))
    parts: list[dict[str, Array]] = []
    latencies_ms: list[float] = []
    for start in range(0, count, step):
        samples = {name: array[start : start + step] for name, array in inputs.items()}
        began = time.perf_counter()
        result = session.run(samples)
        latencies_ms.append((time.perf_counter() - began) * 1e3 / step)
        parts.append(result if isinstance(result, dict) else {session.outputs[0].name: result})
    names = [info.name for info in session.outputs]
    outputs = {name: np.concatenate([part[name] for part in parts]) for name in names}
    return Streamed(outputs, latencies_ms)


if __name__ == "__main__":
    main()
