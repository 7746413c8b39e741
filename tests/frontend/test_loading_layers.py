"""Each Keras 2 layer that edgenn translates, against tf_keras (Keras 2) on the same file."""

import pytest
from support.keras2 import assert_loads_equal, tf_keras

layers = tf_keras.layers

IMAGE = (9, 8, 4)
SERIES = (10, 6)
# Layer after layer on one input: shape of the input, then the layers.
CASES = {
    "conv2d": (IMAGE, lambda: [layers.Conv2D(6, 3, strides=2, padding="same", groups=2)]),
    "conv2d_dilated": (IMAGE, lambda: [layers.Conv2D(6, 3, dilation_rate=2, activation="relu6")]),
    "conv1d_causal": (SERIES, lambda: [layers.Conv1D(5, 3, padding="causal", dilation_rate=2)]),
    "conv2d_transpose": (IMAGE, lambda: [layers.Conv2DTranspose(5, 3, 2, padding="same")]),
    "conv2d_transpose_valid": (IMAGE, lambda: [layers.Conv2DTranspose(5, (3, 2), 2)]),
    "conv2d_transpose_output_padding": (
        IMAGE,
        lambda: [layers.Conv2DTranspose(5, 3, 2, padding="same", output_padding=1)],
    ),
    "conv1d_transpose": (SERIES, lambda: [layers.Conv1DTranspose(5, 3, 2)]),
    "depthwise": (IMAGE, lambda: [layers.DepthwiseConv2D(3, 2, "same", depth_multiplier=2)]),
    "depthwise1d": (SERIES, lambda: [layers.DepthwiseConv1D(3)]),
    "separable2d": (IMAGE, lambda: [layers.SeparableConv2D(5, 3, depth_multiplier=2)]),
    "separable1d": (SERIES, lambda: [layers.SeparableConv1D(5, 3)]),
    "dense": (SERIES, lambda: [layers.Dense(7, activation="swish")]),
    "einsum_dense": (SERIES, lambda: [layers.EinsumDense("abc,cd->abd", (None, 7), None, "d")]),
    "embedding": ((5,), lambda: [layers.Embedding(11, 3, input_length=5)]),
    "embedding_masked": (
        (5,),
        lambda: [layers.Embedding(11, 3, mask_zero=True), layers.GlobalAveragePooling1D()],
    ),
    "conv2d_transpose_dilated": (IMAGE, lambda: [layers.Conv2DTranspose(5, 3, dilation_rate=2)]),
    "depthwise_dilated": (IMAGE, lambda: [layers.DepthwiseConv2D(3, 1, "same", dilation_rate=2)]),
    "batch_norm_synchronized": (IMAGE, lambda: [layers.BatchNormalization(synchronized=True)]),
    "normalization_inverted": (IMAGE, lambda: [layers.Normalization(axis=(1, 3), invert=True)]),
    "pooling": (
        IMAGE,
        lambda: [layers.MaxPooling2D(3, 1, "same"), layers.AveragePooling2D(2, padding="same")],
    ),
    "pooling1d": (SERIES, lambda: [layers.MaxPooling1D(2), layers.AveragePooling1D(2)]),
    "global_average": (IMAGE, lambda: [layers.GlobalAveragePooling2D(keepdims=True)]),
    "global_max": (SERIES, lambda: [layers.GlobalMaxPooling1D()]),
    "batch_norm": (IMAGE, lambda: [layers.BatchNormalization(epsilon=0.01)]),
    "batch_norm_axis": (IMAGE, lambda: [layers.BatchNormalization(axis=1, scale=False)]),
    "layer_norm": (IMAGE, lambda: [layers.LayerNormalization(axis=[2, 3], epsilon=0.01)]),
    "group_norm": (IMAGE, lambda: [layers.GroupNormalization(2)]),
    "unit_norm": (IMAGE, lambda: [layers.UnitNormalization()]),
    "normalization": (IMAGE, lambda: [layers.Normalization()]),
    "normalization_given": (IMAGE, lambda: [layers.Normalization(mean=2.0, variance=3.0)]),
    "activations": (
        SERIES,
        lambda: [
            layers.Activation(name)
            for name in ("gelu", "selu", "elu", "softplus", "softsign", "tanh", "mish")
        ],
    ),
    "hard_sigmoid": (SERIES, lambda: [layers.Activation("hard_sigmoid")]),
    "hard_sigmoid_conv": (IMAGE, lambda: [layers.Conv2D(3, 2, activation="hard_sigmoid")]),
    "activation_is_a_layer": (IMAGE, lambda: [layers.Conv2D(3, 2, activation=layers.ELU(0.7))]),
    "relu": (SERIES, lambda: [layers.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.2)]),
    "leaky_relu": (SERIES, lambda: [layers.LeakyReLU(0.17), layers.ELU(0.5)]),
    "prelu": (IMAGE, lambda: [layers.PReLU(shared_axes=[1, 2])]),
    "softmax": (IMAGE, lambda: [layers.Softmax(axis=1), layers.Softmax(axis=[2, 3])]),
    "noise": (
        SERIES,
        lambda: [
            layers.Dropout(0.5, seed=1),
            layers.SpatialDropout1D(0.5),
            layers.GaussianNoise(0.5),
            layers.GaussianDropout(0.5),
            layers.AlphaDropout(0.5),
            layers.ActivityRegularization(0.1),
        ],
    ),
    "augmentation": (
        IMAGE,
        lambda: [
            layers.RandomFlip(),
            layers.RandomRotation(0.1),
            layers.RandomZoom(0.1),
            layers.RandomContrast(0.1),
            layers.RandomTranslation(0.1, 0.1),
            layers.RandomBrightness(0.1),
        ],
    ),
    "shapes": (
        IMAGE,
        lambda: [
            layers.ZeroPadding2D(((1, 2), (0, 3))),
            layers.Cropping2D(((1, 0), (2, 1))),
            layers.Permute((3, 1, 2)),
            layers.Reshape((-1, 8)),
            layers.Flatten(),
            layers.RepeatVector(3),
        ],
    ),
    "shapes1d": (
        SERIES,
        lambda: [layers.ZeroPadding1D(2), layers.Cropping1D(1), layers.UpSampling1D(2)],
    ),
    "upsampling_nearest": (IMAGE, lambda: [layers.UpSampling2D((2, 3))]),
    "upsampling_bilinear": (IMAGE, lambda: [layers.UpSampling2D(3, interpolation="bilinear")]),
    "resizing": (IMAGE, lambda: [layers.Resizing(5, 13), layers.CenterCrop(4, 7)]),
    "resizing_cropped": (IMAGE, lambda: [layers.Resizing(6, 6, "nearest", True)]),
    "rescaling": (IMAGE, lambda: [layers.Rescaling(2.5, offset=-1.0)]),
    "time_distributed": (
        (3, *IMAGE),
        lambda: [layers.TimeDistributed(layers.Conv2D(2, 3, activation="hard_sigmoid"))],
    ),
    "time_distributed_model": (
        (3, *IMAGE),
        lambda: [
            layers.TimeDistributed(
                tf_keras.Sequential(
                    [
                        layers.Conv2D(2, 3, input_shape=IMAGE),
                        layers.BatchNormalization(),
                        layers.Flatten(),
                    ]
                )
            )
        ],
    ),
    "lstm": (SERIES, lambda: [layers.LSTM(5, recurrent_activation="hard_sigmoid")]),
    "lstm_masked": (
        SERIES,
        lambda: [layers.Masking(0.0), layers.LSTM(5, return_sequences=True, go_backwards=True)],
    ),
    "gru": (SERIES, lambda: [layers.GRU(5, recurrent_activation="hard_sigmoid")]),
    "gru_reset_before": (SERIES, lambda: [layers.GRU(5, reset_after=False)]),
    "simple_rnn": (SERIES, lambda: [layers.SimpleRNN(5, unroll=True)]),
    "bidirectional": (
        SERIES,
        lambda: [layers.Bidirectional(layers.LSTM(4, return_sequences=True), "sum")],
    ),
    "mixed_precision": (IMAGE, lambda: [layers.Conv2D(3, 3, dtype="mixed_float16")]),
}


@pytest.mark.parametrize("name", CASES)
def test_layer_means_what_keras_2_meant(name, tmp_path):
    shape, make = CASES[name]
    tf_keras.backend.clear_session()
    assert_loads_equal(tf_keras.Sequential([tf_keras.Input(shape), *make()]), tmp_path / "model.h5")
