"""The child process of calibration: ``python -m edgenn.runners.calibration_worker``.

Its first message holds a float model whose outputs are all its tensors, and what to remember of
each; then come batches of samples; the last message asks for the statistics.
"""

import sys
from collections.abc import Mapping
from typing import IO, Any

from edgenn.quantization.statistics import Statistics
from edgenn.runners.protocol import Message, own_answers, read_message, write_message
from edgenn.runtime.litert_variables import Variables
from edgenn.runtime.tensor_info import Array
from edgenn.runtime.tflite_file import parse_tflite

THREADS = 2


def main() -> None:
    answers = own_answers()
    requests = sys.stdin.buffer
    job = read_message(requests)
    if job is None:
        return
    observer = Observer(job)
    write_message(answers, Message())
    serve(observer, requests, answers)


def serve(observer: "Observer", requests: IO[bytes], answers: IO[bytes]) -> None:
    while (request := read_message(requests)) is not None:
        if "finished" in request.values:
            write_message(answers, observer.result())
            return
        observer.run(request.arrays)
        observer.remember(request.arrays)
        write_message(answers, Message())


class Observer:
    """Runs batches and keeps statistics of every tensor."""

    def __init__(self, job: Message) -> None:
        from ai_edge_litert.interpreter import Interpreter

        content = job.arrays["model"].tobytes()
        self.interpreter: Any = Interpreter(model_content=content, num_threads=THREADS)
        self.variables = Variables(parse_tflite(content, "model").variables, self.interpreter)
        details = self.interpreter.get_input_details()
        self.inputs = {
            name: detail["index"]
            for name, detail in zip(job.values["inputs"], details, strict=True)
        }
        details = self.interpreter.get_output_details()
        self.outputs = {
            name: detail["index"]
            for name, detail in zip(job.values["outputs"], details, strict=True)
        }
        self.statistics = {
            name: Statistics(**options) for name, options in job.values["statistics"].items()
        }
        self.shapes: dict[str, tuple[int, ...]] = {}

    def run(self, batch: Mapping[str, Array]) -> None:
        shapes = {name: array.shape for name, array in batch.items()}
        if shapes != self.shapes:
            for name, index in self.inputs.items():
                self.interpreter.resize_tensor_input(index, shapes[name])
            self.variables.resize(list(shapes.values()))
            self.interpreter.allocate_tensors()
            self.shapes = shapes
        for name, index in self.inputs.items():
            self.interpreter.set_tensor(index, batch[name])
        if self.variables:
            self.variables.reset()
        self.interpreter.invoke()

    def remember(self, batch: Mapping[str, Array]) -> None:
        """Updates the statistics; views into the engine's memory end here, before it runs again."""
        for name, entry in self.statistics.items():
            is_input = name in self.inputs
            entry.update(batch[name] if is_input else self.interpreter.tensor(self.outputs[name])())

    def result(self) -> Message:
        states = {name: entry.state() for name, entry in self.statistics.items()}
        arrays = {
            f"{name}\0{key}": getattr(entry, key)
            for name, entry in self.statistics.items()
            for key in Statistics.ARRAYS
        }
        return Message({"states": states}, arrays)


if __name__ == "__main__":
    main()
