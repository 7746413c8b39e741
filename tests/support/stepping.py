"""Graphs that run one step: fed step by step in NumPy, and written as artifacts."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from edgenn import compiler
from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph
from edgenn.ir.stepping import step_of
from edgenn.ir.tensor import Array
from edgenn.lowering.recurrent.forms import Form
from edgenn.plan import Build
from edgenn.quantization.schemes import Gates, Scheme


def streamed(step: Graph, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """The model's own outputs after all steps of ``inputs``, by public name; raw.

    Inputs that name a state are what it begins with.
    """
    info = step_of(step)
    assert info is not None
    batch = len(next(iter(inputs.values())))
    states = {}
    for state in info.states:
        tensor = step.tensors[step.inputs[state.input]]
        given = inputs.get(state.input)
        if state.initial is not None:
            sizes = [size or 1 for size in tensor.shape[1:]]
            real = np.array(state.initial, np.float32)
            real = np.broadcast_to(real.reshape(sizes) if real.size > 1 else real, (batch, *sizes))
            quantization = tensor.quantization
            given = (
                real.astype(tensor.dtype)
                if quantization is None
                else quantization.quantize(real, tensor.dtype)
            )
        states[state.input] = given
    own = [name for name in step.outputs if name not in {state.output for state in info.states}]
    columns: dict[str, list[Array]] = {name: [] for name in own}
    for now in range(max([inputs[name].shape[axis] for name, axis in info.inputs.items()] or [1])):
        feed = {
            name: np.take(inputs[name], [now], info.inputs[name])
            if name in info.inputs
            else states.get(name, inputs.get(name))
            for name in step.inputs
        }
        values = evaluate(step, feed)
        states = {state.input: values[step.outputs[state.output]] for state in info.states}
        for name in own:
            columns[name].append(values[step.outputs[name]])
    return {
        name: np.concatenate(column, info.outputs[name]) if name in info.outputs else column[-1]
        for name, column in columns.items()
    }


def whole(graph: Graph, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """The outputs of a graph that runs over whole sequences."""
    values = evaluate(graph, inputs)
    return {public: values[name] for public, name in graph.outputs.items()}


def write_artifact(
    graph: Graph,
    folder: Path,
    *,
    form: Form = Form.STEP,
    format_: str = "tflite",
    scheme: Scheme = Scheme.FLOAT32,
    gates: Gates = Gates.FLOAT32,
    samples: Mapping[str, Array] | None = None,
) -> Path:
    """Writes a graph of recurrent operators as the compiler does."""
    options = compiler.QuantizationOptions()
    if form is Form.LOOP and format_ == "onnx":
        form = Form.NATIVE
    build = Build(scheme, format_, form, gates)
    seen = {} if samples is None else compiler.calibrations(graph, samples, [build], options)
    built = compiler.built(graph, build, seen, options)
    path = folder / f"{graph.name}.{form}.{scheme}.{gates}.{format_}"
    path.write_bytes(compiler.written(built, format_))
    return path
