"""A case of the matrix as a Keras model."""

from typing import Any

import keras
import numpy as np
from support.recurrent_matrix.factors import Case
from support.recurrent_matrix.layers import another_layer, initial_states, recurrent_layer

layers, ops = keras.layers, keras.ops

STEPS, BATCH = 7, 3
"""What is fixed where it is not open."""
FEATURES, WORDS, CONTEXT = 6, 9, 3
"""Sizes of a step, of a vocabulary, and of the input that initial states are computed from."""
MAPS = {"conv_lstm_1d": (5, 2), "conv_lstm_2d": (4, 4, 2)}
"""The step of a ConvLSTM."""


def model_of(case: Case, seed: int = 0) -> keras.Model:
    """The model with random weights."""
    model = ModelBuilder(case).build()
    fill(model, seed)
    return model


class ModelBuilder:
    """Puts a model together."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.inputs: list[Any] = []

    def build(self) -> keras.Model:
        case = self.case
        x, mask = self.sequences()
        layer = recurrent_layer(case)
        options = {} if mask is None else {"mask": mask}
        if case.initial != "zeros":
            options["initial_state"] = self.initial(x)
        result = layer(x, **options)
        outputs = list(result) if isinstance(result, list | tuple) else [result]
        count = 2 if case.direction == "both" else 1
        outputs, states = outputs[:count], keras.tree.flatten(outputs[count:])
        outputs = self.followed(outputs)
        return keras.Model(self.inputs, [*outputs, *states], name="model")

    # what comes in

    def input(self, name: str, *sizes: int | None, dtype: str = "float32") -> Any:
        batch = BATCH if self.case.batch == "fixed" else None
        x = keras.Input(sizes, batch_size=batch, dtype=dtype, name=name)
        self.inputs.append(x)
        return x

    @property
    def steps(self) -> int | None:
        return STEPS if self.case.length == "fixed" else None

    def sequences(self) -> tuple[Any, Any]:
        """What the layer runs over, and its mask where that is an input."""
        case = self.case
        if case.mask == "embedding":
            ids = self.input("x", self.steps, dtype="int32")
            x = layers.Embedding(WORDS, FEATURES, mask_zero=True)(ids)
        else:
            x = self.input("x", self.steps, *step_sizes(case))
        if case.mask == "masking":
            x = layers.Masking()(x)
        mask = None
        if case.mask == "explicit":
            mask = self.input("mask", self.steps, dtype="bool")
        return self.prepared(x), mask

    def prepared(self, x: Any) -> Any:
        """The sequence after what comes before the layer."""
        match self.case.before:
            case "conv":
                x = layers.Conv1D(FEATURES, 3, padding="same", activation="relu")(x)
                return layers.BatchNormalization()(x)
            case "dense":
                return layers.TimeDistributed(layers.Dense(FEATURES, activation="tanh"))(x)
            case "cnn" | "model":
                return layers.TimeDistributed(self.network(x.shape[2:]))(x)
            case _:
                return x

    def network(self, sizes: Any) -> Any:
        """What runs on each step alone: convolutions over images, else dense layers."""
        x = step = keras.Input(sizes)
        images = {2: layers.Conv1D, 3: layers.Conv2D}.get(len(sizes))
        if images is not None:
            x = images(3, 3, padding="same", activation="relu", name="conv")(x)
            x = layers.BatchNormalization()(x)
            if not self.case.is_convolutional:
                x = layers.GlobalAveragePooling2D()(layers.MaxPooling2D(2)(x))
        else:
            x = layers.Dense(6, activation="relu", name="hidden")(x)
            x = layers.Dense(FEATURES, name="features")(x)
        return keras.Model(step, x, name="network")

    def initial(self, x: Any) -> list[Any]:
        """Initial states, inputs or computed from an input."""
        shapes = initial_states(self.case, tuple(x.shape[2:]))
        flat = [tuple(s) for s in flatten_shapes(shapes)]
        if self.case.initial == "inputs":
            made = [self.input(f"state{i}", *sizes) for i, sizes in enumerate(flat)]
        else:
            context = self.input("context", CONTEXT)
            made = [self.computed(context, sizes) for sizes in flat]
        rest = iter(made)
        return [
            [next(rest) for _ in entry] if isinstance(entry, list) else next(rest)
            for entry in shapes
        ]

    def computed(self, context: Any, sizes: tuple[int, ...]) -> Any:
        x = layers.Dense(int(np.prod(sizes)), activation="tanh")(context)
        return x if len(sizes) == 1 else layers.Reshape(sizes)(x)

    # what follows

    def followed(self, outputs: list[Any]) -> list[Any]:
        """The outputs after what comes behind the layer."""
        if self.case.after == "nothing":
            return outputs
        x = outputs[0] if len(outputs) == 1 else layers.Add()(outputs)
        match self.case.after:
            case "dense":
                return [layers.Dense(3, name="last")(x)]
            case "dense_per_step":
                return [layers.TimeDistributed(layers.Dense(3), name="last")(x)]
            case "recurrent":
                return [another_layer(self.case, x)(x)]
        if self.case.is_convolutional:
            x = layers.TimeDistributed(layers.Flatten())(x)
        if self.case.after == "attention":
            x = layers.MultiHeadAttention(2, 3, name="attention")(x, x)
        return [layers.GlobalAveragePooling1D(name="pooled")(x)]


def step_sizes(case: Case) -> tuple[int, ...]:
    """The shape of one step of the input."""
    if case.is_convolutional:
        return MAPS[case.layer]
    return (6, 6, 1) if case.before == "cnn" else (FEATURES,)


def flatten_shapes(shapes: list[Any]) -> list[Any]:
    """Shapes one after the other, of lists of shapes as well."""
    return [s for entry in shapes for s in (entry if isinstance(entry, list) else [entry])]


def fill(model: keras.Model, seed: int) -> None:
    """Random weights under which values neither vanish nor grow."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        if "float" not in variable.dtype or "rnn_state" in variable.path:
            continue
        shape = tuple(variable.shape)
        name = variable.name
        if name in ("moving_variance", "gamma"):
            values = rng.uniform(0.7, 1.3, shape)
        elif name == "embeddings":
            values = rng.normal(size=shape)
        elif len(shape) == 1 or "bias" in name or name in ("beta", "moving_mean"):
            values = rng.normal(0, 0.2, shape)
        else:
            inputs = np.prod(shape[:-1])
            gain = 0.7 if "recurrent" in name else 1.2
            values = rng.normal(0, gain / np.sqrt(inputs), shape)
        variable.assign(values)
