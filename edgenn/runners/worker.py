"""The child process of a runner: ``python -m edgenn.runners.worker ENGINE ARTIFACT``.

It opens the artifact, says what it is, and answers each message of samples with one of outputs
until its input ends. Imports NumPy and the engine, so that it starts at once.
"""

import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np

from edgenn.errors import EdgennError
from edgenn.runners.protocol import Message, own_answers, read_message, write_message
from edgenn.runners.streaming import Streamed, run_sequences
from edgenn.runtime import Session, StepInfo
from edgenn.runtime.tensor_info import Array


def main() -> None:
    answers = own_answers()
    try:
        engine, artifact = sys.argv[1:]
        session = Session(Path(artifact), engine=engine)
        write_message(answers, Message(description(session)))
        serve(session, sys.stdin.buffer, answers)
    except EdgennError as error:
        kind = type(error).__name__
        write_message(
            answers, Message({"error": kind, "message": error.message, "hint": error.hint})
        )


def description(session: Session) -> dict[str, Any]:
    """What samples go in and come out; the states of a step are no affair of theirs."""
    step = session.step or StepInfo()
    return {
        "version": session.engine_version,
        "inputs": [asdict(info) for info in step.data_inputs(session.inputs)],
        "outputs": [asdict(info) for info in step.data_outputs(session.outputs)],
    }


def serve(session: Session, requests: IO[bytes], answers: IO[bytes]) -> None:
    while (request := read_message(requests)) is not None:
        chunk, inputs = request.values.get("chunk"), dict(request.arrays)
        if chunk is not None or session.step is not None:
            streamed = run_sequences(session, inputs, chunk)
        else:
            streamed = Streamed(*run_samples(session, inputs))
        latencies = {
            "latencies_ms": streamed.latencies_ms,
            "step_latencies_ms": streamed.step_latencies_ms,
        }
        write_message(answers, Message(latencies, streamed.outputs))


def run_samples(session: Session, inputs: dict[str, Array]) -> tuple[dict[str, Array], list[float]]:
    """One sample at a time, as a device would; or as many as the artifact's batch is fixed to.

    Returns:
        Outputs by name, and the time that each sample took in ms.
    """
    step = session.batch or 1
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
    return {name: np.concatenate([part[name] for part in parts]) for name in names}, latencies_ms


if __name__ == "__main__":
    main()
