"""Raw engines on one thread that run a sequence and say how long the engine took."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from recurrent_latency import LiteRT, OnnxRuntime

from edgenn.runtime import Session, StepInfo
from edgenn.runtime.tflite_file import TFLiteFile, read_tflite


class Runner(Protocol):
    """One file with one input and one output, states apart."""

    def seconds(self, x: np.ndarray) -> float:
        """Runs a sequence ``(1, T, F)`` from the initial states; the time inside of the engine."""

    def output(self) -> np.ndarray:
        """What came out after the last step."""


class Whole:
    """A file that takes the whole sequence."""

    def __init__(self, engine: LiteRT | OnnxRuntime) -> None:
        self._engine = engine

    def seconds(self, x: np.ndarray) -> float:
        self._engine.prepare(x)
        start = time.perf_counter()
        self._engine.invoke()
        return time.perf_counter() - start

    def output(self) -> np.ndarray:
        return self._engine.output()


class LiteRTSteps:
    """A .tflite that takes one step; handing on the states is not counted."""

    def __init__(self, content: bytes, file: TFLiteFile, step: StepInfo) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(model_content=content, num_threads=1)
        self._interpreter.allocate_tensors()
        inputs = {port.info.name: port.index for port in file.inputs}
        outputs = {port.info.name: port.index for port in file.outputs}
        (self._source,) = (inputs[name] for name in step.inputs)
        states = {state.output for state in step.states}
        (self._target,) = (index for name, index in outputs.items() if name not in states)
        self._pairs = [(inputs[s.input], outputs[s.output]) for s in step.states]
        # states of zero: the zero point where they are integers
        infos = {port.info.name: port.info for port in file.inputs}
        self._first = [
            np.full([size or 1 for size in info.shape], info.zero_point or 0, info.dtype)
            for info in (infos[state.input] for state in step.states)
        ]

    def seconds(self, x: np.ndarray) -> float:
        engine = self._interpreter
        total = 0.0
        states = self._first
        for t in range(x.shape[1]):
            engine.set_tensor(self._source, x[:, t : t + 1])
            for (index, _), state in zip(self._pairs, states, strict=True):
                engine.set_tensor(index, state)
            start = time.perf_counter()
            engine.invoke()
            total += time.perf_counter() - start
            states = [engine.get_tensor(index) for _, index in self._pairs]
        return total

    def output(self) -> np.ndarray:
        return np.array(self._interpreter.get_tensor(self._target))


class OnnxRuntimeSteps:
    """An .onnx that takes one step."""

    def __init__(self, content: bytes, step: StepInfo) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
        self._step = step
        (self._source,) = step.inputs
        states = {state.output for state in step.states}
        names = [item.name for item in self._session.get_outputs()]
        (self._target,) = (name for name in names if name not in states)
        self._outputs = [*(state.output for state in step.states), self._target]
        self._first = {
            item.name: np.zeros(
                [size if isinstance(size, int) else 1 for size in item.shape], np.float32
            )
            for item in self._session.get_inputs()
            if item.name != self._source
        }
        self._y = np.zeros(0, np.float32)

    def seconds(self, x: np.ndarray) -> float:
        total = 0.0
        states: Mapping[str, Any] = self._first
        for t in range(x.shape[1]):
            given = {self._source: x[:, t : t + 1], **states}
            start = time.perf_counter()
            *after, self._y = self._session.run(self._outputs, given)
            total += time.perf_counter() - start
            names = (state.input for state in self._step.states)
            states = dict(zip(names, after, strict=True))
        return total

    def output(self) -> np.ndarray:
        return self._y


def runner_of(path: Path) -> Runner:
    """The engine for a file that edgenn wrote."""
    content = path.read_bytes()
    if path.suffix == ".onnx":
        step = Session(path).step
        return Whole(OnnxRuntime(content)) if step is None else OnnxRuntimeSteps(content, step)
    file = read_tflite(path)
    return Whole(LiteRT(content)) if file.step is None else LiteRTSteps(content, file, file.step)
