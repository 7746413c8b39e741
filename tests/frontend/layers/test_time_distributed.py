"""``TimeDistributed`` around layers and models, with open sizes and masks; Keras is the witness."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.captured import assert_captured
from support.masked import QUIET, kept

from edgenn.errors import UnsupportedError
from edgenn.frontend import capture
from edgenn.frontend.keras_import import keras
from edgenn.ir.ops import Scan

pytestmark = pytest.mark.filterwarnings(*QUIET)

layers, ops = keras.layers, keras.ops
Build = Callable[[], Any]
BATCH, STEPS = 4, 5


def convolutions() -> Any:
    return keras.Sequential(
        [layers.Conv1D(2, 3, activation="relu"), layers.GlobalAveragePooling1D()], name="frame"
    )


def perceptron() -> Any:
    return keras.Sequential(
        [
            layers.Dense(4, activation="gelu"),
            layers.LayerNormalization(),
            layers.Dropout(0.1),
            keras.Sequential([layers.ReLU(), layers.Dense(2, activation="softmax")]),
        ]
    )


class Branches(layers.Layer):
    """A custom layer, which is traced."""

    def call(self, x: Any) -> Any:
        return ops.mean(ops.sin(x), axis=1) * ops.max(x, axis=1)

    def compute_output_shape(self, shape: Any) -> Any:
        return (shape[0], shape[2])


def distributed(layer: Any, shape: tuple[int | None, ...], masked: bool = False) -> Any:
    """A model of the layer on each step of inputs ``(batch, steps, …)``."""
    x = keras.Input(batch_shape=shape)
    y = layers.TimeDistributed(layer, name="steps")(layers.Masking()(x) if masked else x)
    return keras.Model(x, [y, kept(y)] if masked else y)


def samples(shape: tuple[int | None, ...]) -> np.ndarray:
    """Random values; some of the last dimension's rows are zeros."""
    rng = np.random.default_rng(3)
    sizes = [size or default for size, default in zip(shape, (BATCH, STEPS, 6, 3), strict=False)]
    rows = rng.integers(0, 2, (*sizes[:-1], 1))
    return (rng.normal(size=sizes) * rows).astype(np.float32)


ANY: dict[str, Build] = {
    "convolutions": convolutions,
    "custom": Branches,
    "flatten": layers.Flatten,
    "normalization_over_another_axis": lambda: layers.LayerNormalization(axis=1),
    "parameters_for_every_value": layers.PReLU,
    "pooling": layers.GlobalMaxPooling1D,
}
"""Layers on steps ``(6, 3)``, which become part of the batch."""

OPEN_SIZES = {
    "batch": (None, STEPS, 6, 3),
    "steps": (BATCH, None, 6, 3),
    "neither": (BATCH, STEPS, 6, 3),
}


@pytest.mark.parametrize("sizes", OPEN_SIZES)
@pytest.mark.parametrize("layer", ANY)
def test_steps_become_part_of_the_batch(layer: str, sizes: str) -> None:
    shape = OPEN_SIZES[sizes]
    assert_captured(distributed(ANY[layer](), shape), inputs=[samples(shape)])


@pytest.mark.parametrize("layer", ANY)
def test_open_steps_of_an_open_batch_are_a_loop(layer: str) -> None:
    graph = assert_captured(
        distributed(ANY[layer](), (None, None, 6, 3)), inputs=[samples((BATCH, STEPS, 6, 3))]
    )
    (scan,) = (op.operator for op in graph.ops if isinstance(op.operator, Scan))
    assert scan.states == 0


def test_a_mask_for_each_of_open_steps_of_an_open_batch_is_refused() -> None:
    shape = (None, None, 6, 3)
    x = keras.Input(batch_shape=shape)
    y = layers.TimeDistributed(layers.GlobalAveragePooling1D(), name="steps")(layers.Masking()(x))
    model = keras.Model(x, y)
    with pytest.raises(UnsupportedError, match=r"steps: .* open number of steps") as caught:
        capture(model)
    assert "batch=1" in caught.value.hint
    assert_captured(model, inputs=[samples((1, None, 6, 3))], batch=1)


LAST_AXIS: dict[str, Build] = {
    "activation": lambda: layers.Activation("softmax"),
    "activation_layer": lambda: layers.Activation(layers.LeakyReLU(0.1)),
    "batch_normalization": layers.BatchNormalization,
    "dense": lambda: layers.Dense(2, activation="tanh"),
    "dropout": lambda: layers.Dropout(0.5),
    "elu": layers.ELU,
    "layer_normalization": layers.LayerNormalization,
    "model": perceptron,
    "rms_normalization": layers.RMSNormalization,
    "softmax": layers.Softmax,
    "unit_normalization": layers.UnitNormalization,
}


@pytest.mark.parametrize("shape", [(None, None, 3), (None, STEPS, 3), (None, None, 6, 3)])
@pytest.mark.parametrize("layer", LAST_AXIS)
def test_layers_on_the_last_axis_leave_the_steps_where_they_are(
    layer: str, shape: tuple[int | None, ...]
) -> None:
    values = samples((BATCH, STEPS, *shape[2:]))
    graph = assert_captured(distributed(LAST_AXIS[layer](), shape), inputs=[values])
    assert "reshape" not in [op.kind for op in graph.ops]


@pytest.mark.parametrize("steps", [None, STEPS])
@pytest.mark.parametrize("layer", sorted(set(LAST_AXIS) - {"softmax"}))
def test_layers_on_the_last_axis_with_a_mask(layer: str, steps: int | None) -> None:
    """Softmax would hold each step's mask, one value per sample, against the values."""
    model = distributed(LAST_AXIS[layer](), (None, steps, 3), masked=True)
    assert_captured(model, inputs=[samples((BATCH, STEPS, 3))])


def test_an_embedding_of_each_step() -> None:
    ids = np.random.default_rng(4).integers(0, 9, (BATCH, STEPS, 6)).astype(np.float32)
    assert_captured(distributed(layers.Embedding(9, 4), (None, None, 6)), inputs=[ids])


MASKED: dict[str, Build] = {
    "pooling": layers.GlobalAveragePooling1D,
    "model": lambda: keras.Sequential([layers.Dense(3), layers.GlobalAveragePooling1D()]),
    "layer_without_masks": layers.GlobalMaxPooling1D,
    "recurrent": lambda: layers.GRU(3),
}


@pytest.mark.parametrize("layer", MASKED)
def test_each_step_is_given_its_part_of_the_mask(layer: str) -> None:
    """``Masking`` on ``(batch, steps, 6, 3)`` masks ``(batch, steps, 6)``."""
    shape = (None, STEPS, 6, 3)
    x = keras.Input(batch_shape=shape)
    y = layers.TimeDistributed(MASKED[layer]())(layers.Masking()(x))
    assert_captured(keras.Model(x, y), inputs=[samples(shape)])


def test_the_mask_of_the_steps_is_carried_on() -> None:
    shape = (None, STEPS, 6, 3)
    x, mask = keras.Input(batch_shape=shape), keras.Input((STEPS,), dtype="bool")
    y = layers.TimeDistributed(convolutions())(x, mask=mask)
    keep = np.random.default_rng(5).integers(0, 2, (BATCH, STEPS)).astype(bool)
    assert_captured(keras.Model([x, mask], kept(y)), inputs=[samples(shape), keep])
