"""The child process that runs an artifact beside what it is held against.

``python -m edgenn.drift.explain.worker``. Its first message holds the job: the artifact with all
its tensors as outputs, the comparison graph, and which tensors belong together. Then come batches
of samples; the last message asks for the sums. Activations never cross the pipe.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

import numpy as np

from edgenn.drift.explain.sums import Grid, OpSums, Sums, TensorSums
from edgenn.ir.tensor import Array, Quantization
from edgenn.runners.protocol import Message, own_answers, read_message, write_message
from edgenn.runtime.litert_variables import Variables
from edgenn.runtime.tflite_file import parse_tflite

THREADS = 2


def main() -> None:
    answers = own_answers()
    requests = sys.stdin.buffer
    job = read_message(requests)
    if job is None:
        return
    try:
        observer = Observer(job)
        write_message(answers, Message())
        serve(observer, requests, answers)
    except (RuntimeError, ValueError) as error:  # what LiteRT raises about a model
        lines = [line for line in str(error).splitlines() if line.strip()]
        text = f"LiteRT cannot run this artifact layer by layer: {lines[-1] if lines else error}"
        values = {"error": "EngineError", "message": text, "hint": None}
        write_message(answers, Message(values))


def serve(observer: "Observer", requests: IO[bytes], answers: IO[bytes]) -> None:
    while (request := read_message(requests)) is not None:
        if "finished" in request.values:
            write_message(answers, observer.result())
            return
        observer.observe(request.arrays)
        write_message(answers, Message())


class Model:
    """A .tflite model that is run batch by batch.

    Attributes:
        inputs: Names of its inputs, in order.
        outputs: Names of its outputs, in order.
    """

    def __init__(self, content: bytes, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.interpreter: Any = Interpreter(model_content=content, num_threads=THREADS)
        self.variables = Variables(parse_tflite(content, "model").variables, self.interpreter)
        details = self.interpreter.get_input_details()
        self.inputs = dict(zip(inputs, (d["index"] for d in details), strict=True))
        details = self.interpreter.get_output_details()
        self.outputs = dict(zip(outputs, (d["index"] for d in details), strict=True))
        self.shapes: dict[str, tuple[int, ...]] = {}

    def run(self, values: Mapping[str, Array]) -> None:
        shapes = {name: values[name].shape for name in self.inputs}
        if shapes != self.shapes:
            for name, index in self.inputs.items():
                self.interpreter.resize_tensor_input(index, shapes[name])
            self.variables.resize(list(shapes.values()))
            self.interpreter.allocate_tensors()
            self.shapes = shapes
        for name, index in self.inputs.items():
            self.interpreter.set_tensor(index, values[name])
        if self.variables:
            self.variables.reset()
        self.interpreter.invoke()

    def output(self, name: str) -> Array:
        """A copy; views into the engine's memory would not survive the next run."""
        return np.array(self.interpreter.tensor(self.outputs[name])())


class Observer:
    """Runs batches and keeps sums.

    Args:
        artifact: By default the job's .tflite model.
    """

    def __init__(self, job: Message, artifact: Any = None) -> None:
        values = job.values
        self.artifact = artifact or Model(
            job.arrays["artifact"].tobytes(), values["artifact_inputs"], values["artifact_outputs"]
        )
        self.comparison = Model(
            job.arrays["comparison"].tobytes(),
            values["comparison_inputs"],
            values["comparison_outputs"],
        )
        self.grids = {name: grid_from(entry) for name, entry in values["grids"].items()}
        self.shared = values["shared"]
        self.arithmetic = values["arithmetic"]
        self.tensors = [TensorSums() for _ in self.shared]
        self.ops = [OpSums() for _ in self.arithmetic]
        self.switches = [Switch(job, number) for number in range(len(values["switches"]))]

    def observe(self, samples: Mapping[str, Array]) -> None:
        """Runs a batch.

        Args:
            samples: ``sample:`` + public name → real numbers; the artifact's input tensor → what
                it is given, in its dtype.
        """
        self.artifact.run(samples)
        stored = {name: samples[name] for name in self.artifact.inputs}
        stored.update({name: self.artifact.output(name) for name in self.artifact.outputs})
        given = dict(samples)
        for name in self.comparison.inputs:
            if name.startswith("actual:"):
                source = name.removeprefix("actual:")
                given[name] = self.grids[source].real(stored[source])
        self.comparison.run(given)

        def value(name: str) -> Array:
            return given[name] if name in given else self.comparison.output(name)

        for sums, entry in zip(self.tensors, self.shared, strict=True):
            free, forced, twin = (value(entry[run]) for run in ("free", "forced", "twin"))
            layered = None if entry["layered"] == entry["forced"] else value(entry["layered"])
            actual = entry["actual"]
            sums.update(stored[actual], free, forced, layered, twin, self.grids[actual])
        for op_sums, entry in zip(self.ops, self.arithmetic, strict=True):
            actual, plain = entry["actual"], entry["plain"]
            is_actual = entry["is_actual"]
            real = self.grids[plain].real(stored[plain]) if is_actual else value(plain)
            op_sums.update(stored[actual], real, self.grids[actual])
        for switch in self.switches:
            switch.run(stored, value, self.grids)

    def result(self) -> Message:
        groups: dict[str, Sequence[Sums]] = {"tensor": self.tensors, "op": self.ops}
        values: dict[str, Any] = {
            kind: [sums.state() for sums in group] for kind, group in groups.items()
        }
        values["switches"] = [switch.errors for switch in self.switches]
        arrays = {
            f"{kind}\0{index}\0{field}": array
            for kind, group in groups.items()
            for index, sums in enumerate(group)
            for field, array in sums.arrays()
        }
        for index, switch in enumerate(self.switches):
            for name, parts in switch.results.items():
                if parts:
                    arrays[f"switch\0{index}\0{name}"] = np.concatenate(parts)
                    arrays[f"free\0{name}"] = np.concatenate(switch.free[name])
        return Message(values, arrays)


class Switch:
    """The artifact behind a layer, run with what that layer gives in float.

    Attributes:
        errors: Output → sum of squared errors.
        results: Output → what it gave for each batch, if that is wanted; real numbers.
        free: Output → what it should have given.
    """

    def __init__(self, job: Message, number: int) -> None:
        entry = job.values["switches"][number]
        self.replaced: Mapping[str, str] = entry["replaced"]
        self.outputs: Mapping[str, str] = entry["outputs"]
        self.model = None
        if entry["model_outputs"]:
            content = job.arrays[f"switch\0{number}"].tobytes()
            self.model = Model(content, entry["model_inputs"], entry["model_outputs"])
        self.errors = dict.fromkeys(self.outputs, 0.0)
        self.keeps: bool = job.values["keep_outputs"]
        self.results: dict[str, list[Array]] = {name: [] for name in self.outputs}
        self.free: dict[str, list[Array]] = {name: [] for name in self.outputs}

    def run(
        self, stored: Mapping[str, Array], value: Callable[[str], Array], grids: Mapping[str, Grid]
    ) -> None:
        """Adds a batch.

        Args:
            stored: What the artifact holds.
            value: Gives tensors of the comparison.
        """
        given = dict(stored)
        for name, source in self.replaced.items():
            given[name] = grids[name].stored(value(source)).astype(stored[name].dtype)
        results = given
        if self.model is not None:
            self.model.run(given)
            results = {**given, **{name: self.model.output(name) for name in self.model.outputs}}
        for name, free in self.outputs.items():
            real = grids[name].real(results[name])
            error = real - value(free)
            if self.keeps:
                self.results[name].append(real)
                self.free[name].append(np.array(value(free)))
            self.errors[name] += float(np.square(error, dtype=np.float64).sum())


def grid_from(entry: Sequence[Any]) -> Grid:
    """A grid as the job's JSON has it: dtype, scale, zero point."""
    dtype, scale, zero_point = entry
    quantization = None if scale is None else Quantization.per_tensor(scale, zero_point)
    return Grid(quantization, dtype)


if __name__ == "__main__":
    main()
