"""A cell and activations that are none of Keras's, for models of the matrix."""

from typing import Any

import keras

layers, ops = keras.layers, keras.ops
PACKAGE = "edgenn_recurrent_matrix"


@keras.saving.register_keras_serializable(PACKAGE)
def wave(x: Any) -> Any:
    """An activation without a name."""
    return 0.9 * ops.sin(x)


@keras.saving.register_keras_serializable(PACKAGE)
def slope(x: Any) -> Any:
    """A gate without a name: 0..1, steeper than a sigmoid."""
    return 0.5 + 0.5 * ops.softsign(2.0 * x)


ACTIVATIONS = {"custom": wave}
GATES = {"custom": slope}


@keras.saving.register_keras_serializable(PACKAGE)
class MixingCell(keras.Layer):
    """A gate between the old state and a candidate (a minimal gated unit, arXiv 1603.09420)."""

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.units = self.state_size = units
        self.activation = keras.activations.get(activation)
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.use_bias = use_bias

    def build(self, shape: Any) -> None:
        def weight(name: str, rows: int) -> Any:
            return self.add_weight(shape=(rows, self.units), name=name)

        self.kernel, self.gate_kernel = weight("kernel", shape[-1]), weight("gate", shape[-1])
        self.recurrent_kernel = weight("recurrent_kernel", self.units)
        self.gate_recurrent = weight("gate_recurrent_kernel", self.units)
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.units,), name="bias")
        self.built = True

    def call(self, inputs: Any, states: Any) -> Any:
        (h,) = states
        gate_sum = ops.matmul(inputs, self.gate_kernel) + ops.matmul(h, self.gate_recurrent)
        gate = self.recurrent_activation(gate_sum)
        total = ops.matmul(inputs, self.kernel) + ops.matmul(gate * h, self.recurrent_kernel)
        candidate = self.activation(total + self.bias if self.use_bias else total)
        new = (1.0 - gate) * h + gate * candidate
        return new, [new]

    def get_config(self) -> dict[str, Any]:
        functions = (self.activation, self.recurrent_activation)
        activation, gate = map(keras.activations.serialize, functions)
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activation,
            "recurrent_activation": gate,
            "use_bias": self.use_bias,
        }
