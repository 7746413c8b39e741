"""The child process that runs an ONNX file beside the float graph.

``python -m edgenn.drift.explain.onnx_worker``. ONNX Runtime runs a copy of the file whose outputs
are all tensors that the float graph has, too; without graph optimisations, which would remove
them. Inside, values may be channels-first.
"""

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from edgenn.drift.explain.names import plain
from edgenn.drift.explain.worker import Model
from edgenn.ir.tensor import Array
from edgenn.runners.protocol import Message, own_answers, read_message, write_message

CHANNELS_FIRST = 1


def main() -> None:
    answers = own_answers()
    requests = sys.stdin.buffer
    job = read_message(requests)
    if job is None:
        return
    observer = Observer(job)
    write_message(answers, Message())
    while (request := read_message(requests)) is not None:
        if "finished" in request.values:
            write_message(answers, Message({"errors": observer.errors, "sizes": observer.sizes}))
            return
        observer.observe(request.arrays)
        write_message(answers, Message())


class Observer:
    """Runs batches and sums squared errors.

    Attributes:
        errors: Tensor of the float graph → sum of squared errors.
        sizes: Tensor of the float graph → sum of squares of what it should be.
    """

    def __init__(self, job: Message) -> None:
        values = job.values
        content = job.arrays["float"].tobytes()
        self.model = Model(content, values["inputs"], values["outputs"])
        self.session, self.names = opened(job.arrays["onnx"].tobytes(), set(values["outputs"]))
        self.inputs = self.session.get_inputs()
        self.fixed = fixed_batch(self.session)
        self.errors = dict.fromkeys(self.names.values(), 0.0)
        self.sizes = dict.fromkeys(self.names.values(), 0.0)

    def observe(self, batch: Mapping[str, Array]) -> None:
        """Adds a batch; a file of fixed batch gets it piece by piece."""
        count = len(next(iter(batch.values())))
        step = self.fixed or count
        for start in range(0, count - step + 1, step):
            part = {name: array[start : start + step] for name, array in batch.items()}
            self.model.run(part)
            given = {
                entry.name: part.get(entry.name, other)
                for entry, other in zip(self.inputs, part.values(), strict=True)
            }
            results = self.session.run(list(self.names), given)
            for name, theirs in zip(self.names.values(), results, strict=True):
                ours = self.model.output(name).astype(np.float64)
                error = squared_error(theirs, ours)
                if error is not None:
                    self.errors[name] += error
                    self.sizes[name] += float(np.square(ours).sum())


def opened(content: bytes, wanted: set[str]) -> tuple[Any, dict[str, str]]:
    """A session that gives inner tensors, and theirs → ours."""
    import onnx
    import onnxruntime

    model = onnx.load_from_string(content)
    inferred = onnx.shape_inference.infer_shapes(model)
    kinds = {entry.name: entry for entry in inferred.graph.value_info}
    outputs = {entry.name for entry in model.graph.output}
    names: dict[str, str] = {}
    for node in model.graph.node:
        for name in node.output:
            ours = plain(name)
            is_float = name in outputs or (
                name in kinds and kinds[name].type.tensor_type.elem_type == onnx.TensorProto.FLOAT
            )
            if ours in wanted and is_float:
                names = {theirs: value for theirs, value in names.items() if value != ours}
                names[name] = ours
    for name in names:
        if name not in outputs:
            model.graph.output.append(kinds[name])
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    providers = ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers)
    return session, names


def fixed_batch(session: Any) -> int | None:
    size = session.get_inputs()[0].shape[0]
    return size if isinstance(size, int) else None


def squared_error(theirs: Array, ours: Array) -> float | None:
    """Of the order of dimensions that fits better; ``None`` where none does."""
    candidates = [theirs]
    if theirs.ndim > 2:
        candidates.append(np.moveaxis(theirs, CHANNELS_FIRST, -1))
        candidates.append(np.moveaxis(theirs, 0, 1))
    errors = [
        float(np.square(each.astype(np.float64) - ours).sum())
        for each in candidates
        if each.shape == ours.shape
    ]
    return min(errors, default=None)


if __name__ == "__main__":
    main()
