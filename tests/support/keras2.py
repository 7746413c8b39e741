"""tf_keras, which is Keras 2, as the witness for old files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgenn.frontend.keras_import import keras
from edgenn.frontend.loading import load_model

tf_keras = pytest.importorskip("tf_keras", reason="tf_keras is the witness for old files")
TOLERANCE = 1e-5


def randomise(model: Any, seed: int = 0) -> None:
    """Weights without structure: variances positive, counts left alone."""
    generator = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.dtype.is_floating:
            values = generator.normal(0, 0.5, weight.shape)
            weight.assign(np.abs(values) + 0.1 if "variance" in weight.name else values)
    for layer in model.layers:
        if isinstance(layer, tf_keras.layers.Normalization):
            layer.finalize_state()


def samples(model: Any) -> list[Any]:
    """Two random samples for each input; whole numbers where they are looked up."""
    generator = np.random.default_rng(1)
    shapes = [(2, *tensor.shape[1:]) for tensor in model.inputs]
    if any(isinstance(layer, tf_keras.layers.Embedding) for layer in model.layers):
        return [generator.integers(0, 11, shape).astype(np.float32) for shape in shapes]
    return [generator.normal(0, 2, shape).astype(np.float32) for shape in shapes]


def predict(model: Any, inputs: list[Any]) -> list[Any]:
    outputs = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    return [np.asarray(output) for output in keras.tree.flatten(outputs)]


def assert_same(model: Any, witness: Any) -> None:
    """Two models give the same on the same input."""
    inputs = samples(witness)
    ours, theirs = predict(model, inputs), predict(witness, inputs)
    assert [output.shape for output in ours] == [output.shape for output in theirs]
    for got, wanted in zip(ours, theirs, strict=True):
        assert np.ptp(wanted) > 0  # a constant output proves nothing
        np.testing.assert_allclose(got, wanted, rtol=TOLERANCE, atol=TOLERANCE)


def assert_loads_equal(model: Any, path: Path, **options: Any) -> Any:
    """Give a Keras 2 model random weights, save it, load it here, compare; the loaded model."""
    randomise(model)
    model.save(path)
    loaded = load_model(path, **options).model
    assert_same(loaded, model)
    return loaded
