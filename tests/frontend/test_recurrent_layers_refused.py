import keras
import pytest

from edgenn.errors import UnsupportedError
from edgenn.frontend import capture

LAYERS = [
    keras.layers.LSTM(4),
    keras.layers.GRU(4),
    keras.layers.Bidirectional(keras.layers.LSTM(4)),
    keras.layers.RNN(keras.layers.SimpleRNNCell(4)),
]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_the_error_says_what_the_layer_is(layer):
    inputs = keras.Input((6, 3))
    with pytest.raises(UnsupportedError, match=f"{layer.name}: .* is recurrent"):
        capture(keras.Model(inputs, layer(inputs)))
