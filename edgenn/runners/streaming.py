"""Whole sequences on an artifact that runs one step, in a runner's child process."""

import time
from dataclasses import dataclass, field

import numpy as np

from edgenn.errors import DataError
from edgenn.runtime import Session, StepInfo, Stream
from edgenn.runtime.tensor_info import Array


@dataclass
class Streamed:
    """What came of it.

    Attributes:
        outputs: By name, all sequences.
        latencies_ms: The time that each sequence took.
        step_latencies_ms: The mean time of a step, chunk by chunk.
    """

    outputs: dict[str, Array] = field(default_factory=dict)
    latencies_ms: list[float] = field(default_factory=list)
    step_latencies_ms: list[float] = field(default_factory=list)


def run_sequences(
    session: Session, inputs: dict[str, Array], chunk: int | None, batch: int = 1
) -> Streamed:
    """One sequence at a time, or as many as the artifact's batch is fixed to.

    Args:
        inputs: Samples by input name; those that name a state are what it begins with.
        chunk: Steps to give at once; all of them by default.
        batch: Sequences side by side where the artifact's batch is open.

    Raises:
        UsageError: The artifact runs whole sequences.
        DataError: Samples that do not fit.
    """
    streamed = Streamed()
    count = len(next(iter(inputs.values())))
    batch = session.batch or min(batch, count)
    parts: list[dict[str, Array]] = []
    with session.stream() as stream:
        assert session.step is not None
        given = {state.input for state in session.step.states}
        for start in range(0, count, batch):
            rows = np.minimum(np.arange(start, start + batch), count - 1)
            samples = {name: array[rows] for name, array in inputs.items()}
            stream.reset()
            stream.set_states({name: samples.pop(name) for name in given & samples.keys()})
            parts.append(run_sequence(stream, session.step, samples, chunk, streamed))
            streamed.latencies_ms[-1] /= batch
    streamed.outputs = {
        name: np.concatenate([part[name] for part in parts])[:count] for name in parts[0]
    }
    return streamed


def run_sequence(
    stream: Stream,
    step: StepInfo,
    samples: dict[str, Array],
    chunk: int | None,
    streamed: Streamed,
) -> dict[str, Array]:
    """The outputs of one sequence by name, in time where they have that."""
    total = steps_in(samples, step)
    size = min(chunk or total, total)
    pieces: list[dict[str, Array]] = []
    spent_ms = 0.0
    for start in range(0, total, size):
        piece = {
            name: part(array, step.inputs.get(name), start, size) for name, array in samples.items()
        }
        began = time.perf_counter()
        result = stream.run(piece)
        took_ms = (time.perf_counter() - began) * 1e3
        spent_ms += took_ms
        streamed.step_latencies_ms.append(took_ms / min(size, total - start))
        pieces.append(result if isinstance(result, dict) else {stream.outputs[0]: result})
    streamed.latencies_ms.append(spent_ms)
    return {
        name: np.concatenate([piece[name] for piece in pieces], step.outputs[name])
        if name in step.outputs
        else pieces[-1][name]
        for name in stream.outputs
    }


def steps_in(samples: dict[str, Array], step: StepInfo) -> int:
    """The length of the sequences; 1 where no input runs over time."""
    lengths = {
        name: array.shape[step.inputs[name]] if array.ndim > step.inputs[name] else 0
        for name, array in samples.items()
        if name in step.inputs
    }
    if len(set(lengths.values())) > 1:
        raise DataError(f"the inputs differ in their number of steps: {lengths}")
    return max(1, *lengths.values()) if lengths else 1


def part(array: Array, axis: int | None, start: int, size: int) -> Array:
    """Some steps of a sequence; all of what has no axis of time."""
    if axis is None or array.ndim <= axis:
        return array
    return array[(slice(None),) * axis + (slice(start, start + size),)]
