"""Runs an artifact on the machine at hand."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from edgenn.errors import ArtifactError, DataError, UsageError
from edgenn.runtime.border import (
    Border,
    RequireDtype,
    input_border,
    output_border,
    shape_error,
)
from edgenn.runtime.engine import ClosedEngine, Engine
from edgenn.runtime.step_info import StepInfo
from edgenn.runtime.steps import Steps
from edgenn.runtime.stream import Stream
from edgenn.runtime.tensor_info import Array, Result, TensorInfo


def _litert(path: Path, threads: int) -> Engine:
    from edgenn.runtime.litert import LiteRTEngine

    return LiteRTEngine(path, threads)


def _litert_reference(path: Path, threads: int) -> Engine:
    from edgenn.runtime.litert import LiteRTEngine

    return LiteRTEngine(path, threads, reference=True)


def _onnxruntime(path: Path, threads: int) -> Engine:
    from edgenn.runtime.onnxruntime import OnnxRuntimeEngine

    return OnnxRuntimeEngine(path, threads)


Opener = Callable[[Path, int], Engine]
"""Loads an artifact; the number is of threads."""

ENGINES: dict[str, tuple[str, Opener]] = {
    "litert": (".tflite", _litert),
    "litert-reference": (".tflite", _litert_reference),
    "onnxruntime": (".onnx", _onnxruntime),
}
"""Engine → the suffix it reads and how it is opened; the first of a suffix is its default."""


class Session:
    """An artifact, loaded and ready to run. Not for several threads at once.

    Args:
        path: A .tflite or .onnx file.
        threads: The engine's threads.
        engine: ``litert``, ``litert-reference`` (TFLite's reference kernels) or ``onnxruntime``;
            by default what the suffix says. Or what opens an engine of your own:
            ``(path, threads) → Engine``.

    Raises:
        ArtifactError: The file is missing, damaged or of another kind.
        EngineError: The engine refuses it.
        UnavailableError: The engine is not installed.
    """

    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]

    def __init__(
        self, path: str | Path, *, threads: int = 1, engine: str | Opener | None = None
    ) -> None:
        path = Path(path)
        self._engine: Engine = open_engine(path, threads, engine)
        self.path = path
        self.inputs = self._engine.inputs
        self.outputs = self._engine.outputs
        self._names = [info.name for info in self.inputs]
        self._borders = [input_border(info) for info in self.inputs]
        self._raw_borders: list[Border] = [RequireDtype(info) for info in self.inputs]
        self._output_borders = [output_border(info) for info in self.outputs]
        self._step = fixed_batch(self.inputs)
        self._shapes: list[tuple[int, ...]] = []  # what the engine is set to
        self._steps: Steps | None = None

    @property
    def engine(self) -> str:
        return self._engine.name

    @property
    def engine_version(self) -> str:
        return self._engine.version

    @property
    def batch(self) -> int | None:
        """The batch size that the artifact is fixed to; ``None`` where it is open."""
        return self._step

    @property
    def step(self) -> StepInfo | None:
        """How the steps of an artifact that runs one follow each other."""
        return self._engine.step

    def stream(self, states: Mapping[str, Any] | None = None) -> Stream:
        """A sequence that comes in chunks; its states are kept from one to the next.

        Any number of streams can be open at once; each has states of its own.

        Args:
            states: Input name → state to begin with, ``(batch, …)``, in real numbers; others
                begin as the artifact says.

        Raises:
            UsageError: The artifact runs whole sequences.
            DataError: A state that does not fit.
        """
        if self._steps is None:
            if self.step is None:
                raise UsageError(
                    f"{self.path} runs whole sequences: it has no states to hand on",
                    "convert the model with --rnn step",
                )
            self._steps = Steps(self.step, self.inputs, self.outputs, self._run_step)
        return Stream(self._steps, states)

    def _run_step(self, shapes: list[tuple[int, ...]]) -> Callable[[Sequence[Array]], list[Array]]:
        """What runs one step on raw arrays of these shapes."""
        self._reshape(shapes)
        return self._engine.run

    def run(self, *inputs: Any, raw: bool = False) -> Result:
        """Runs any number of samples.

        Args:
            inputs: One array for each input in the artifact's order, or one dict by name.
                Batch first. Real numbers, which are quantised where the artifact is.
            raw: Give and take the artifact's own integers.

        Returns:
            The output, float32 where it stands for real numbers; with several outputs a dict by
            name.

        Raises:
            DataError: Inputs that do not fit: name, shape, dtype, NaN.
            EngineError: The engine failed.
        """
        arrays = self._arrange(inputs)
        shapes = [array.shape for array in arrays]
        if shapes != self._shapes:  # a loop over samples of one shape has it checked once
            if not self._takes_at_once(arrays):
                return self._named(self._run_steps(arrays, raw))
            self._reshape(shapes)
        return self._named(self._run_arrays(arrays, raw))

    def _arrange(self, inputs: tuple[Any, ...]) -> list[Array]:
        """The arrays in the artifact's order."""
        if (
            len(inputs) == 1
            and type(inputs[0]) is not np.ndarray
            and isinstance(inputs[0], Mapping)
        ):
            given = inputs[0]
            if given.keys() != set(self._names):
                raise DataError(f"the artifact's inputs are {self._names}, given are {list(given)}")
            inputs = tuple(given[name] for name in self._names)
        elif len(inputs) != len(self._names):
            raise DataError(
                f"the artifact has {len(self._names)} input(s) {self._names}, {len(inputs)} given"
            )
        return [x if type(x) is np.ndarray else np.asarray(x) for x in inputs]

    def _reshape(self, shapes: list[tuple[int, ...]]) -> None:
        if shapes != self._shapes:
            self._shapes = []
            self._engine.reshape(shapes)
            self._shapes = shapes

    def _run_arrays(self, arrays: list[Array], raw: bool) -> list[Array]:
        borders = self._raw_borders if raw else self._borders
        # strict zips cost as much as what they guard here
        ready = [border(array) for border, array in zip(borders, arrays)]  # noqa: B905
        results = self._engine.run(ready)
        if not raw:
            results = [out(a) for out, a in zip(self._output_borders, results)]  # noqa: B905
        return results

    def _named(self, results: list[Array]) -> Result:
        if len(results) == 1:
            return results[0]
        return {info.name: array for info, array in zip(self.outputs, results, strict=True)}

    def _run_steps(self, arrays: list[Array], raw: bool) -> list[Array]:
        """In steps of the artifact's batch size; the last one is filled up with its last sample."""
        assert self._step is not None
        count = len(arrays[0])
        self._reshape([(self._step, *array.shape[1:]) for array in arrays])
        parts = []
        for start in range(0, count, self._step):
            step = [array[start : start + self._step] for array in arrays]
            missing = self._step - len(step[0])
            if missing:
                step = [np.concatenate([a, np.repeat(a[-1:], missing, axis=0)]) for a in step]
            parts.append(self._run_arrays(step, raw))
        return [np.concatenate(pieces)[:count] for pieces in zip(*parts, strict=True)]

    def _takes_at_once(self, arrays: list[Array]) -> bool:
        """Whether one run takes all samples; otherwise they come in steps of the fixed batch.

        Raises:
            DataError: A shape that does not fit, or no samples at all.
        """
        pairs = list(zip(self.inputs, arrays, strict=True))
        for info, array in pairs:
            if 0 in array.shape:
                raise DataError(f"input {info.name!r} is empty: its shape is {array.shape}")
        at_once = all(info.accepts(array.shape) for info, array in pairs)
        for info, array in pairs:
            if not at_once and (self._step is None or not info.accepts_samples(array.shape)):
                raise shape_error(info, array.shape, any_batch=self._step is not None)
        counts = {
            info.name: len(array)
            for info, array in pairs
            if array.ndim and (not at_once or info.shape[0] is None)
        }
        if len(set(counts.values())) > 1:
            raise DataError(f"the inputs differ in their number of samples: {counts}")
        return at_once

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Frees the engine's memory; the session cannot run any more."""
        self._engine = ClosedEngine(self._engine)

    def __repr__(self) -> str:
        return f"Session({str(self.path)!r}, engine={self.engine!r})"


def open_engine(path: Path, threads: int, engine: str | Opener | None) -> Engine:
    """The engine by name, or by the file's suffix."""
    if callable(engine):
        return engine(path, threads)
    suffixes = {suffix for suffix, _ in ENGINES.values()}
    if path.suffix not in suffixes:
        raise ArtifactError(
            f"{path} is no artifact: its suffix is none of {', '.join(sorted(suffixes))}"
        )
    if not path.is_file():
        raise ArtifactError(f"{path} does not exist" if not path.exists() else f"{path} is no file")
    if engine is None:
        engine = next(name for name, (suffix, _) in ENGINES.items() if suffix == path.suffix)
    if engine not in ENGINES:
        raise UsageError(f"no engine {engine!r}", f"there are {', '.join(ENGINES)}")
    suffix, opener = ENGINES[engine]
    if suffix != path.suffix:
        raise UsageError(f"{engine} reads {suffix} files, not {path}")
    try:
        return opener(path, threads)
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}") from error


def fixed_batch(inputs: Sequence[TensorInfo]) -> int | None:
    """The first dimension that all inputs are fixed to, if there is one."""
    sizes = {info.shape[0] if info.shape else None for info in inputs}
    return next(iter(sizes)) if len(sizes) == 1 else None
