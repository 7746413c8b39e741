"""The child process that runs an ONNX file beside what it is held against.

``python -m edgenn.drift.explain.onnx_worker``. ONNX Runtime runs a copy of the file whose outputs
are all values that the comparison needs; without graph optimisations, which would remove them.
"""

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from edgenn.drift.explain.worker import Observer, serve
from edgenn.ir.tensor import Array
from edgenn.runners.protocol import Message, own_answers, read_message, write_message

SENTENCE = "ONNX Runtime cannot run this artifact layer by layer"


def main() -> None:
    answers = own_answers()
    requests = sys.stdin.buffer
    job = read_message(requests)
    if job is None:
        return
    try:
        model = OnnxModel(job.arrays["artifact"].tobytes(), job.values["values"])
        observer = OnnxObserver(job, model)
        write_message(answers, Message())
        serve(observer, requests, answers)
    except Exception as error:  # ONNX Runtime's own classes have no other base
        first = next(iter(str(error).splitlines()), type(error).__name__)
        values = {"error": "EngineError", "message": f"{SENTENCE}: {first}", "hint": None}
        write_message(answers, Message(values))


class OnnxModel:
    """An ONNX model that is run batch by batch; values come in the float graph's order.

    Args:
        values: Tensor of the float graph → what the file calls it.

    Attributes:
        inputs: None of the values that are compared: what the file is given is ``input:`` + name.
        outputs: Names of the values, stored as integers, and ``before:`` + name where they have
            one before their rounding.
        orders: Name → the order of dimensions of the file's value, once that is known.
    """

    def __init__(self, content: bytes, values: Mapping[str, Any]) -> None:
        import onnx
        import onnxruntime

        self.values = values
        self.inputs: tuple[str, ...] = ()
        self.outputs: dict[str, str] = {}
        for name, entry in values.items():
            self.outputs[name] = entry["integers"] or entry["real"]
            if entry["before"]:
                self.outputs[f"before:{name}"] = entry["before"]
        self.orders: dict[str, tuple[int, ...]] = {}
        self.results: dict[str, Array] = {}
        model = onnx.load_from_string(content)
        there = {entry.name for entry in (*model.graph.output, *model.graph.input)}
        for name in dict.fromkeys(self.outputs.values()):
            if name not in there:
                model.graph.output.append(onnx.ValueInfoProto(name=name))
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, ["CPUExecutionProvider"]
        )

    def run(self, given: Mapping[str, Array]) -> None:
        kinds = {entry.name: entry.type for entry in self.session.get_inputs()}
        feeds = {name: as_input(given[f"input:{name}"], kind) for name, kind in kinds.items()}
        names = [n for n in dict.fromkeys(self.outputs.values()) if n not in feeds]
        self.results = {**feeds, **dict(zip(names, self.session.run(names, feeds), strict=True))}

    def raw(self, name: str) -> Array:
        """A value in the file's own order, with signed integers."""
        array = self.results[self.outputs[name]]
        entry = self.values.get(name)
        if entry is None or not entry["integers"]:
            return np.asarray(array, np.float32)
        return np.asarray(array.astype(np.int32) - entry["offset"], entry["dtype"])

    def output(self, name: str) -> Array:
        array = self.raw(name)
        order = self.orders.get(name.removeprefix("before:"))
        return array if order is None else np.ascontiguousarray(array.transpose(order))


class OnnxObserver(Observer):
    """Runs batches and keeps sums; of the first batch it learns in which order values are."""

    artifact: OnnxModel

    def observe(self, samples: Mapping[str, Array]) -> None:
        if not self.artifact.orders:
            self.learn_orders(samples)
        super().observe(samples)

    def learn_orders(self, samples: Mapping[str, Array]) -> None:
        """Of the orders that the shapes allow, the one that is nearest to the float run."""
        self.artifact.run(samples)
        shared = {entry["actual"]: entry["free"] for entry in self.shared}
        free = self.free_run(samples)
        for name, entry in self.artifact.values.items():
            if name not in shared:
                continue
            theirs, ours = self.grids[name].real(self.artifact.raw(name)), free[shared[name]]
            fitting = {
                tuple(order): distance(theirs.transpose(order), ours)
                for order in entry["orders"]
                if theirs.transpose(order).shape == ours.shape
            }
            if not fitting:
                raise ValueError(f"{name} is {theirs.shape}, and {ours.shape} in Keras")
            self.artifact.orders[name] = min(fitting, key=lambda order: fitting[order])

    def free_run(self, samples: Mapping[str, Array]) -> dict[str, Array]:
        """The float graph on the samples; what the artifact would give is not known yet."""
        given = dict(samples)
        count = len(next(iter(samples.values())))
        for name in self.comparison.inputs:
            if name not in given:
                given[name] = np.zeros(self.likely_shape(name, count), np.float32)
        self.comparison.run(given)
        names = [entry["free"] for entry in self.shared]
        return {
            name: given[name] if name in given else self.comparison.output(name) for name in names
        }

    def likely_shape(self, name: str, count: int) -> tuple[int, ...]:
        """The shape of a value in an order that puts the samples first."""
        source = name.removeprefix("actual:")
        array = self.artifact.raw(source)
        shapes = [array.transpose(order).shape for order in self.artifact.values[source]["orders"]]
        return next((shape for shape in shapes if shape[0] == count), shapes[0])


def as_input(array: Array, kind: str) -> Array:
    """Samples in the dtype that a session says, such as ``tensor(float)``."""
    name = kind.removeprefix("tensor(").removesuffix(")")
    return array.astype({"float": "float32", "double": "float64"}.get(name, name), copy=False)


def distance(one: Array, other: Array) -> float:
    return float(np.square(one - other, dtype=np.float64).sum())


if __name__ == "__main__":
    main()
