"""The average of the steps that a mask keeps. Witness: Keras."""

import keras
import numpy as np
import pytest
from support.captured import assert_captured

layers = keras.layers
MASKS = np.array([[1, 1, 1, 0, 0], [0, 0, 1, 1, 0], [0, 1, 0, 1, 1], [0, 0, 0, 0, 1]], bool)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("length", [None, 5], ids=["open", "fixed"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_it_is_a_mean_over_a_mean(data_format, length, keepdims):
    """LiteRT's reference kernel of SUM has no int8: a sum over an open length has no other."""
    first = data_format == "channels_first"
    x = keras.Input((3, length) if first else (length, 3), name="x")
    mask = keras.Input((length,), dtype="bool", name="mask")
    layer = layers.GlobalAveragePooling1D(data_format, keepdims)
    values = np.random.default_rng(0).normal(size=(4, 3, 5) if first else (4, 5, 3))
    model = keras.Model([x, mask], layer(x, mask=mask))
    graph = assert_captured(model, inputs=[values.astype("float32"), MASKS])
    assert not {"sum", "reduce_prod"} & {op.kind for op in graph.ops}
