"""The layers whose meaning is the same in Keras 2 and 3, and how their configurations differ."""

from collections.abc import Callable
from typing import Any

Config = dict[str, Any]
Rule = Callable[[Config], None]
"""Changes a configuration in place; ValueError with the reason where Keras 3 has no equal."""


def _drop(*keys: str) -> Rule:
    """Keys without a meaning for the result."""

    def rule(config: Config) -> None:
        for key in keys:
            config.pop(key, None)

    return rule


def _only(key: str, *allowed: Any) -> Rule:
    """A key that Keras 3 lacks: gone where it says what Keras 3 does anyway."""

    def rule(config: Config) -> None:
        value = config.pop(key, allowed[0])
        if value not in allowed:
            raise ValueError(f"{key}={value!r} has no equal in Keras 3")

    return rule


def _rename(old: str, new: str) -> Rule:
    def rule(config: Config) -> None:
        if old in config:
            config[new] = config.pop(old)

    return rule


def _default(key: str, value: Any) -> Rule:
    """What Keras 2 did when the file does not say and Keras 3's default differs."""

    def rule(config: Config) -> None:
        config.setdefault(key, value)

    return rule


def _single_axis(config: Config) -> None:
    """Keras 2 stores the axis of a batch normalisation as a list."""
    axis = config.get("axis", -1)
    if isinstance(axis, list):
        if len(axis) != 1:
            raise ValueError(f"axis={axis} has no equal in Keras 3")
        (config["axis"],) = axis


_BATCH_NORMALIZATION = (
    _single_axis,
    _only("renorm", False),
    _only("virtual_batch_size", None),
    _only("adjustment", None),
    _drop("fused", "renorm_clipping", "renorm_momentum", "synchronized"),
)
_DEPTHWISE = (_only("groups", 1), _drop("filters"))
_CELL = (_drop("implementation"),)
_RECURRENT = (
    *_CELL,
    _only("time_major", False),
    _only("input_length", None),
    _drop("input_dim", "cudnn_enabled"),
)
_HARD = _default("recurrent_activation", "hard_sigmoid")
_RESET_BEFORE = _default("reset_after", False)

_SAME = (
    "Activation",
    "ActivityRegularization",
    "Add",
    "AdditiveAttention",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "CenterCrop",
    "Concatenate",
    "Conv1D",
    "Conv2D",
    "Cropping1D",
    "Cropping2D",
    "Dense",
    "Dot",
    "EinsumDense",
    "ELU",
    "Flatten",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GroupNormalization",
    "LayerNormalization",
    "Masking",
    "Maximum",
    "MaxPooling1D",
    "MaxPooling2D",
    "Minimum",
    "Multiply",
    "Normalization",
    "Permute",
    "PReLU",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "Softmax",
    "Subtract",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "ZeroPadding1D",
    "ZeroPadding2D",
)
# Convolutions that carry a key `groups` in Keras 2 and have no groups in either version.
_UNGROUPED = ("Conv1DTranspose", "Conv2DTranspose", "SeparableConv1D", "SeparableConv2D")
_CONVOLUTIONAL = ("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
_NOISE = (
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "SpatialDropout1D",
    "SpatialDropout2D",
)
_BATCH_NORMALIZATIONS = (
    "BatchNormalization",
    "BatchNormalizationV1",
    "BatchNormalizationV2",
    "SyncBatchNormalization",
)

# Keras 2 class → Keras 3 class and the rules that its configuration needs.
LAYERS: dict[str, tuple[str, tuple[Rule, ...]]] = {
    **{name: (name, ()) for name in _SAME},
    **{name: (name, (_only("groups", 1),)) for name in _UNGROUPED},
    **{name: (name, (_drop("seed", "noise_shape"),)) for name in _NOISE},
    **dict.fromkeys(_BATCH_NORMALIZATIONS, ("BatchNormalization", _BATCH_NORMALIZATION)),
    "Attention": ("Attention", (_only("causal", False),)),
    "DepthwiseConv1D": ("DepthwiseConv1D", _DEPTHWISE),
    "DepthwiseConv2D": ("DepthwiseConv2D", _DEPTHWISE),
    "Embedding": ("Embedding", (_drop("input_length"), _only("sparse", False))),
    "LeakyReLU": ("LeakyReLU", (_rename("alpha", "negative_slope"),)),
    "MultiHeadAttention": (
        "MultiHeadAttention",
        (
            _drop("query_shape", "key_shape", "value_shape"),
            _only("softmax_robust_masking", False),
        ),
    ),
    "LSTM": ("LSTM", (*_RECURRENT, _HARD)),
    "LSTMCell": ("LSTMCell", (*_CELL, _HARD)),
    "GRU": ("GRU", (*_RECURRENT, _HARD, _RESET_BEFORE)),
    "GRUCell": ("GRUCell", (*_CELL, _HARD, _RESET_BEFORE)),
    "SimpleRNN": ("SimpleRNN", _RECURRENT),
    "SimpleRNNCell": ("SimpleRNNCell", _CELL),
    "RNN": ("RNN", (*_RECURRENT, _only("num_constants", None))),
    "StackedRNNCells": ("StackedRNNCells", (_only("reverse_state_order", False),)),
    **{name: (name, (*_RECURRENT, _HARD)) for name in _CONVOLUTIONAL},
    # cuDNN knows one kind of each: tanh and sigmoid, and the reset gate after the product.
    "CuDNNLSTM": ("LSTM", _RECURRENT),
    "CuDNNGRU": ("GRU", (*_RECURRENT, _default("reset_after", True))),
}
