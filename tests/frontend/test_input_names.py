"""Inputs have names that a file keeps, whatever else the process has made before."""

import keras
import numpy as np
from support.real_models import real

from edgenn.frontend import capture
from edgenn.frontend.loading import load_model


def test_an_input_without_a_name_is_called_as_its_saved_model_calls_it(tmp_path):
    x = keras.Input((4,))
    model = keras.Model(x, keras.layers.Dense(2)(x))
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras").model
    assert list(capture(model).inputs) == list(capture(loaded).inputs)
    assert "keras_tensor" not in "".join(capture(model).inputs)


def test_a_file_of_keras_2_has_the_same_names_each_time():
    path = real("traffic-lstm/lstm.h5")
    graphs = [capture(load_model(path).model, name="traffic") for _ in range(2)]
    for graph in graphs:
        assert list(graph.inputs) == ["lstm_1_input"]  # as tf_keras calls it
    first, second = graphs
    assert list(first.tensors) == list(second.tensors)
    for name, tensor in first.tensors.items():
        if tensor.data is not None:
            np.testing.assert_array_equal(tensor.data, second.tensors[name].data)
