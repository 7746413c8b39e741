"""Compares a captured graph with the Keras model it came from."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgenn.frontend import capture
from edgenn.frontend.keras_import import keras
from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph

TOLERANCE = 1e-5


def randomize(model: Any, seed: int = 0) -> None:
    """Random weights for a whole model; variances and scales stay positive."""
    rng = np.random.default_rng(seed)
    for variable in model.variables:
        if "float" not in variable.dtype:
            continue
        positive = variable.name in ("moving_variance", "variance", "gamma", "scale")
        low, high = (0.5, 1.5) if positive else (-0.5, 0.5)
        variable.assign(rng.uniform(low, high, variable.shape))


def sample(tensor: Any, rng: np.random.Generator, batch: int, size: int) -> np.ndarray:
    """Random values for a Keras input; open sizes become ``size``."""
    shape = [batch if tensor.shape[0] is None else tensor.shape[0]]
    shape += [size if n is None else n for n in tensor.shape[1:]]
    if "int" in tensor.dtype:
        return rng.integers(0, 5, shape).astype(tensor.dtype)
    return rng.normal(size=shape).astype(tensor.dtype)


def assert_captured(
    model: Any,
    *,
    inputs: Sequence[np.ndarray] | None = None,
    batch: int | None = None,
    size: int = 7,
    tolerance: float = TOLERANCE,
) -> Graph:
    """Captures a functional model; its outputs must be those of Keras, in value and type."""
    randomize(model)
    graph = capture(model, batch=batch)
    if inputs is None:
        rng = np.random.default_rng(1)
        inputs = [sample(tensor, rng, batch or 2, size) for tensor in model.inputs]
    argument = list(inputs) if len(inputs) > 1 else inputs[0]
    expected = keras.tree.flatten(model(argument, training=False))
    assert_outputs(graph, inputs, expected, tolerance)
    return graph


def assert_outputs(
    graph: Graph, inputs: Sequence[np.ndarray], expected: Sequence[Any], tolerance: float
) -> None:
    values = evaluate(graph, dict(zip(graph.inputs, inputs, strict=True)))
    assert len(graph.outputs) == len(expected)
    for name, reference in zip(graph.outputs.values(), expected, strict=True):
        wanted = keras.ops.convert_to_numpy(reference)
        tensor, value = graph.tensors[name], values[name]
        assert tensor.dtype == value.dtype == wanted.dtype
        assert len(tensor.shape) == wanted.ndim
        for declared, actual in zip(tensor.shape, wanted.shape, strict=True):
            assert declared in (None, actual)
        scale = max(1.0, float(np.abs(wanted).max(initial=0)))
        np.testing.assert_allclose(value, wanted, rtol=0, atol=tolerance * scale)


def layer_model(layer: Any, *shapes: tuple[int | None, ...], dtype: str = "float32") -> Any:
    """A model of one layer called ``tested`` on inputs of these shapes (without batch)."""
    inputs = [keras.Input(shape, dtype=dtype, name=f"x{i}") for i, shape in enumerate(shapes)]
    argument = inputs if len(inputs) > 1 else inputs[0]
    return keras.Model(argument, layer(argument))
