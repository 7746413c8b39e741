import numpy as np
import pytest

from edgenn import compiler
from edgenn.frontend.keras_import import keras
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.ops import Maximum
from edgenn.preflight.samples import COUNT, LENGTH, made_up_samples

layers = keras.layers


def samples_of(inputs, outputs):
    return made_up_samples(compiler.graph_of(keras.Model(inputs, outputs)))


def test_open_lengths_are_long_enough_for_windows():
    x = keras.Input((None, 3), name="x")
    made = samples_of(x, layers.Conv1D(2, 5)(x))
    assert made["x"].shape == (COUNT, LENGTH, 3)
    assert made["x"].dtype == np.float32
    assert 0.5 < made["x"].std() < 2


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_indices_are_valid(dtype):
    x = keras.Input((50,), dtype=dtype, name="x")
    table, small = layers.Embedding(7, 4)(x), layers.Embedding(5, 4)(layers.Reshape((25, 2))(x))
    made = samples_of(x, [table, small])["x"]
    assert made.dtype == dtype
    assert set(np.unique(made)) == {0, 1, 2, 3, 4}


def test_other_types():
    builder = GraphBuilder("g")
    count, mask = builder.input("count", (None, 3), "int32"), builder.input("mask", (None,), "bool")
    made = builder.add(Maximum(), [count, count], "y")
    samples = made_up_samples(builder.finish({"y": made, "z": mask}))
    assert set(np.unique(samples["count"])) <= {0, 1}
    assert samples["mask"].all()


def test_the_same_every_time():
    x = keras.Input((4,), name="x")
    model = keras.Model(x, layers.Dense(2)(x))
    first, second = (made_up_samples(compiler.graph_of(model))["x"] for _ in range(2))
    np.testing.assert_array_equal(first, second)
