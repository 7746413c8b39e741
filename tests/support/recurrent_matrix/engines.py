"""Files run in a child process, so that an engine that crashes is a result like any other."""

from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from edgenn.errors import EngineError
from edgenn.runtime import Session
from edgenn.runtime.tensor_info import Array

TIME_LIMIT_S = 120.0
ENGINES = {".tflite": ("litert", "litert-reference"), ".onnx": ("onnxruntime",)}
"""Suffix → the engines that files of it are run with."""


class Engines:
    """One child for many files; a new one after a crash."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    def run(self, path: Path, engine: str, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """The outputs by name: of whole sequences, or of a stream where the file runs one step.

        Raises:
            EdgennError: What the engine says.
            EngineError: It crashed or took too long.
        """
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        try:
            return self._pool.submit(run, path, engine, dict(inputs)).result(TIME_LIMIT_S)
        except (BrokenProcessPool, TimeoutError) as error:
            self.close()
            raise EngineError(f"{engine} crashed or hung on {path}") from error

    def close(self) -> None:
        if self._pool is not None:
            for process in (self._pool._processes or {}).values():
                process.kill()
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


def run(path: Path, engine: str, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Runs a file on all samples."""
    session = Session(path, engine=engine)
    if session.step is None:
        result = session.run(dict(inputs))
        return result if isinstance(result, dict) else {session.outputs[0].name: result}
    count = len(next(iter(inputs.values())))
    size = session.batch or count
    parts = []
    for start in range(0, count, size):
        rows = {name: array[start : start + size] for name, array in inputs.items()}
        parts.append(streamed(session, rows))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def streamed(session: Session, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """A stream in two chunks; states that are inputs of the model are what it begins with."""
    assert session.step is not None
    states = {state.input for state in session.step.states}
    chunks: list[dict[str, Array]] = [{}, {}]
    for name, array in inputs.items():
        if name in states:
            continue
        axis = session.step.inputs.get(name)
        parts = [array, array] if axis is None else np.split(array, [2], axis)
        for chunk, part in zip(chunks, parts, strict=True):
            chunk[name] = part
    with session.stream({n: a for n, a in inputs.items() if n in states}) as stream:
        results = []
        for chunk in chunks:
            result = stream.run(chunk)
            results.append(result if isinstance(result, dict) else {stream.outputs[0]: result})
    joined = {}
    for name, last in results[-1].items():
        axis = session.step.outputs.get(name)
        joined[name] = last if axis is None else np.concatenate([r[name] for r in results], axis)
    return joined
