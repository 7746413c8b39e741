"""Checks that a rewriting keeps what a graph computes: NumPy evaluation before and after."""

from collections.abc import Callable

import numpy as np

from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Array

BATCH = 2


def random_inputs(graph: Graph, seed: int = 0, batch: int = BATCH) -> dict[str, Array]:
    """Normal numbers in the shape of each input; open dimensions take ``batch``."""
    generator = np.random.default_rng(seed)
    return {
        public: generator.normal(
            0, 2, [batch if size is None else size for size in graph.tensors[name].shape]
        ).astype(graph.tensors[name].dtype)
        for public, name in graph.inputs.items()
    }


def results(graph: Graph, inputs: dict[str, Array]) -> dict[str, Array]:
    """Public output name → value."""
    values = evaluate(graph, inputs, keep=set(graph.outputs.values()))
    return {public: values[name] for public, name in graph.outputs.items()}


def assert_well_formed(graph: Graph) -> None:
    """Every tensor exists, is made before it is read, and has the type its op infers."""
    known = {*graph.inputs.values(), *(t.name for t in graph.tensors.values() if t.is_constant)}
    for name, tensor in graph.tensors.items():
        assert tensor.name == name
    for op in graph.ops:
        assert known.issuperset(op.inputs), f"{op.name} reads what nobody made: {op.inputs}"
        assert op.name == op.outputs[0]
        types = op.operator.infer(graph.operands(op))
        for tensor, type_ in zip(graph.results(op), types, strict=True):
            assert tensor.dtype == type_.dtype, tensor.name
            assert tensor.shape == type_.shape, tensor.name
            assert tensor.name not in known, f"{tensor.name} is made twice"
        known.update(op.outputs)
    assert known.issuperset(graph.outputs.values())


def rewrite(graph: Graph, run: Callable[[Graph], Graph], tolerance: float = 1e-5) -> Graph:
    """Runs a pass and returns its graph, after the checks that hold for every pass.

    The results agree within ``tolerance`` of their range, inputs and outputs keep their names
    and types, and a second run finds nothing to do.
    """
    after = run(graph)
    assert_well_formed(after)
    assert list(after.inputs.items()) == list(graph.inputs.items())
    assert list(after.outputs.items()) == list(graph.outputs.items())
    for old, new in zip(graph.output_tensors(), after.output_tensors(), strict=True):
        assert (old.shape, old.dtype) == (new.shape, new.dtype)
    inputs = random_inputs(graph)
    expected, actual = results(graph, inputs), results(after, inputs)
    for name, value in expected.items():
        span = float(np.ptp(value.astype(np.float64))) or 1.0
        np.testing.assert_allclose(actual[name], value, rtol=0, atol=tolerance * span)
    assert run(after) is after, "a second run still finds something"
    return after


def kinds(graph: Graph) -> list[str]:
    return [op.kind for op in graph.ops]
