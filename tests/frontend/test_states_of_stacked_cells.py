"""States that stacked cells keep between calls: Keras holds them as lists in a list."""

import keras
import numpy as np
import pytest
from keras import layers

from edgenn.frontend.capture import capture
from edgenn.frontend.prediction import predict

CELLS = {
    "one": lambda: layers.GRUCell(3),
    "stack": lambda: [layers.GRUCell(3), layers.LSTMCell(2)],
}


@pytest.mark.parametrize("cells", CELLS)
def test_each_batch_begins_anew_and_the_states_stay(cells):
    x = keras.Input((4, 2), batch_size=2, name="x")
    layer = layers.RNN(CELLS[cells](), stateful=True)
    model = keras.Model(x, layer(x))
    samples = np.random.default_rng(0).normal(size=(4, 4, 2)).astype("float32")
    model(samples[:2])
    kept = [np.array(state) for state in keras.tree.flatten(layer.states)]
    assert all(state.any() for state in kept)
    graph = capture(model)
    batches = [{"x": samples[:2]}, {"x": samples[2:]}]
    (result,), (turned,) = (
        predict(model, list(graph.inputs), list(graph.outputs), order).values()
        for order in (batches, batches[::-1])
    )
    np.testing.assert_allclose(result, turned[[2, 3, 0, 1]], atol=1e-6)
    for state, before in zip(keras.tree.flatten(layer.states), kept, strict=True):
        np.testing.assert_array_equal(state, before)
