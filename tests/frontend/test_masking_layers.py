"""Layers that make, merge and use Keras masks; Keras is the witness."""

from typing import Any

import numpy as np
import pytest
from support.captured import assert_captured
from support.masked import (
    IDS,
    QUIET,
    STEPS,
    Build,
    assert_masked,
    flat,
    kept,
    nested,
    of,
    pool,
    words,
)

from edgenn.frontend.keras_import import keras

pytestmark = pytest.mark.filterwarnings(*QUIET)

layers, ops = keras.layers, keras.ops

MERGES = ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract")


@pytest.mark.parametrize("way", [flat, nested])
@pytest.mark.parametrize("masked", ["both", "first", "second"])
@pytest.mark.parametrize("steps", [STEPS, None])
@pytest.mark.parametrize("kind", MERGES)
def test_merges(kind: str, steps: int | None, masked: str, way: Build) -> None:
    def build(a: Any, b: Any) -> Any:
        pair = [a if masked != "second" else -a, b if masked != "first" else -b]
        merged = getattr(layers, kind)()(pair)
        return [merged, kept(merged)]

    assert_masked(of(2, build, steps, way))


@pytest.mark.parametrize("second", [lambda x: x, lambda x: x + 1], ids=("masked", "not"))
def test_concatenation_in_time(second: Build) -> None:
    assert_masked(of(2, lambda a, b: kept(layers.Concatenate(axis=1)([a, second(b)]))))


@pytest.mark.parametrize("dtype", ["int32", "float32", "uint8"])
def test_an_embedding_masks_zero_before_it_rounds(dtype: str) -> None:
    x = keras.Input((STEPS,), dtype=dtype)
    ids = IDS + (0.5 if dtype == "float32" else 0)
    assert_captured(keras.Model(x, kept(words(x))), inputs=[ids.astype(dtype)])


def test_a_reversible_embedding_masks_one_way() -> None:
    x = keras.Input((STEPS,), dtype="int32")
    table = layers.ReversibleEmbedding(9, 4, mask_zero=True)
    y = table(x)
    assert_captured(keras.Model(x, [kept(y), kept(table(y, reverse=True))]), inputs=[IDS])


@pytest.mark.parametrize("value", [0.0, 1.0, -2.0])
@pytest.mark.parametrize("steps", [STEPS, None])
def test_masking(value: float, steps: int | None) -> None:
    x = keras.Input((steps, 3))
    samples = np.random.default_rng(1).choice([value, 3.0], (5, STEPS, 3)).astype(np.float32)
    masked = layers.Masking(value)(x)
    assert_captured(keras.Model(x, [kept(masked), pool(masked)]), inputs=[samples])


@pytest.mark.parametrize("dtype", ["bool", "float32", "int32"])
def test_softmax_with_a_mask(dtype: str) -> None:
    x, mask = keras.Input((5, 4)), keras.Input((5, 4), dtype=dtype)
    rng = np.random.default_rng(2)
    masks = rng.uniform(0, 2, (3, 5, 4)).astype(dtype)
    masks[0, 0] = 0
    samples = rng.normal(size=masks.shape).astype(np.float32)
    assert_captured(keras.Model([x, mask], layers.Softmax()(x, mask=mask)), inputs=[samples, masks])
