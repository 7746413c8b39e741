"""Models with Keras masks."""

from collections.abc import Callable
from typing import Any

import numpy as np
from support.captured import assert_captured

from edgenn.frontend.keras_import import keras
from edgenn.ir.graph import Graph

layers, ops = keras.layers, keras.ops
STEPS, WORDS = 6, 9
Build = Callable[..., Any]
QUIET = ("ignore:Layer .* does not support masking", "ignore:invalid value encountered in divide")
"""Warnings of Keras, and of means of nothing."""

IDS = np.random.default_rng(0).integers(0, WORDS, (5, STEPS)).astype(np.int32)
IDS[1, 2:], IDS[2], IDS[3, 0] = 0, 5, 0
OTHER_IDS = np.roll(IDS, 1, axis=0)


def words(x: Any, size: int = 4) -> Any:
    return layers.Embedding(WORDS, size, mask_zero=True)(x)


def pool(x: Any) -> Any:
    return layers.GlobalAveragePooling1D()(x)


class Kept(layers.Layer):
    """Shows the mask it is given: its input, with zeros (or -9 without any) for masked steps."""

    def call(self, x: Any, mask: Any = None) -> Any:
        return x - 9 if mask is None else x * ops.expand_dims(ops.cast(mask, x.dtype), -1)


def kept(x: Any) -> Any:
    return Kept()(x)


def flat(build: Build, inputs: list[Any]) -> Any:
    return build(*inputs)


def nested(build: Build, inputs: list[Any]) -> Any:
    """A model inside the model: Keras records no masks there, and finds them when it runs."""
    own = [keras.Input(x.shape[1:]) for x in inputs]
    return keras.Model(own, build(*own))(inputs)


def of(count: int, build: Build, steps: int | None = STEPS, way: Build = flat) -> Any:
    """A model of ``build`` on one or two inputs, each with its mask."""
    inputs = [keras.Input((steps,), dtype="int32", name=name) for name in "ab"[:count]]
    return keras.Model(inputs, way(build, [words(x) for x in inputs]))


def assert_masked(model: Any) -> Graph:
    return assert_captured(model, inputs=[IDS, OTHER_IDS][: len(model.inputs)])


def operations(graph: Graph) -> list[str]:
    return [op.kind for op in graph.ops]
