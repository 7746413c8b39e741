"""What no accelerator runs whole: said before the conversion, and then by the engines.

The published models are too well made for them: few of their ops fall back.
"""

from collections.abc import Callable

import numpy as np
import pytest
from support.preflight import assert_placed, open_engines, said_and_written, samples_for

import edgenn
from edgenn.frontend.keras_import import keras
from edgenn.inspection import inspect_artifact
from edgenn.preflight import preflight

layers = keras.layers
ops = keras.ops

PICTURE = (18, 18, 4)
SEQUENCE = (6, 4)

Build = Callable[[], tuple[tuple[int, ...], Callable]]


def picture(apply: Callable) -> tuple[tuple[int, ...], Callable]:
    return PICTURE, apply


def sequence(apply: Callable) -> tuple[tuple[int, ...], Callable]:
    return SEQUENCE, apply


ODD: dict[str, tuple[tuple[int, ...], Callable]] = {
    "stride 4 with padding": picture(layers.Conv2D(4, 3, strides=4, padding="same")),
    "stride 4 without": picture(layers.Conv2D(4, 3, strides=4)),
    "stride 4 that needs no padding": picture(layers.Conv2D(4, 2, strides=4, padding="same")),
    "stride 4 by channel": picture(layers.DepthwiseConv2D(3, strides=4)),
    "a kernel that is too large": picture(layers.AveragePooling2D(9, strides=1, padding="same")),
    "a pool of the whole": picture(layers.AveragePooling2D(18, padding="same")),
    "dilated": picture(layers.Conv2D(4, 3, dilation_rate=3)),
    "grouped": picture(layers.Conv2D(6, 3, groups=2)),
    "upsampled by 3": picture(layers.UpSampling2D(3)),
    "upsampled smoothly by 4": picture(layers.UpSampling2D(4, interpolation="bilinear")),
    "backwards": picture(lambda x: ops.flip(x, axis=2)),
    "every other one from behind": picture(lambda x: x[:, ::-2]),
    "sine": picture(lambda x: ops.sin(x)),
    "softplus": picture(layers.Activation("softplus")),
    "elu": picture(layers.ELU()),
    "gelu": picture(layers.Activation("gelu")),
    "mean over channels": picture(lambda x: ops.mean(x, axis=-1, keepdims=True) + x),
    "normalised": picture(layers.LayerNormalization()),
    "largest": picture(lambda x: ops.argmax(layers.Flatten()(x), axis=-1)),
    "five axes": picture(
        lambda x: ops.transpose(ops.reshape(x, (-1, 3, 6, 18, 4)), (0, 2, 1, 3, 4))
    ),
    "log of softmax": sequence(layers.Activation("log_softmax")),
    "running sum": sequence(lambda x: ops.cumsum(x, axis=1)),
    "attention": sequence(lambda x: layers.Attention()([x, x])),
    "mirrored": sequence(lambda x: ops.pad(x, [[0, 0], [2, 1], [0, 0]], mode="reflect")),
    "masked": sequence(lambda x: layers.LSTM(3)(layers.Masking()(x))),
    "both ways": sequence(layers.Bidirectional(layers.GRU(3))),
    "compared": sequence(lambda x: ops.where(x > 0.5, x, -x)),
    "joined from many": sequence(
        lambda x: ops.concatenate([x * float(n) for n in range(1, 13)], axis=-1)
    ),
}

TARGETS = ["ethos-u55-128", "ethos-u85-256", "tflite-micro", "gpu-fp32"]
PLANS = [
    ("ethos-u55-128", "int8"),
    ("tflite-micro", "int8"),
    ("gpu-fp32", "float32"),
    *(
        pytest.param(target, scheme, marks=pytest.mark.slow)
        for target, scheme in (
            ("ethos-u55-128", "int16x8"),
            ("ethos-u85-256", "int8"),
            ("ethos-u85-256", "int16x8"),
            ("tflite-micro", "int16x8"),
            ("tflite-micro", "float32"),
            ("gpu-fp32", "int8"),
        )
    ),
]


@pytest.fixture(scope="module")
def engines():
    with open_engines() as opened:
        yield opened


@pytest.mark.parametrize(("target", "scheme"), PLANS)
@pytest.mark.parametrize("name", ODD)
def test_odd(name, target, scheme, tmp_path, engines):
    shape, apply = ODD[name]
    x = keras.Input(shape, name="x")
    model = keras.Model(x, apply(x), name="odd")
    calibration = np.random.default_rng(0).normal(size=(16, *shape)).astype(np.float32)
    both = said_and_written(model, calibration, target, scheme, tmp_path / "out")
    assert both.said.macs == both.artifact.macs
    assert both.said.size_bytes == both.artifact.size_bytes
    assert_placed(both.said, both.path, samples_for(both.artifact), engines)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Files that were written for no target: loops, floats, open sizes."""
    x = keras.Input((None, 4), name="x")
    model = keras.Model(x, layers.Dense(2)(layers.GRU(3)(layers.Conv1D(4, 3)(x))), name="net")
    samples = np.random.default_rng(0).normal(size=(8, 12, 4)).astype(np.float32)
    folder = tmp_path_factory.mktemp("files")
    options = {"formats": ["tflite"], "quantize": ["float32", "dynamic", "float16", "int8"]}
    edgenn.convert(model, folder / "open", calibration=samples, **options)
    x = keras.Input((12, 4), batch_size=1, name="x")
    model = keras.Model(x, layers.Dense(2)(layers.GRU(3)(layers.Conv1D(4, 3)(x))), name="net")
    edgenn.convert(model, folder / "fixed", calibration=samples, batch=1, **options)
    return folder


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("scheme", ["float32", "dynamic", "float16", "int8"])
@pytest.mark.parametrize("sizes", ["open", "fixed"])
def test_files_for_no_target(files, sizes, scheme, target, engines):
    path = files / sizes / f"net.{scheme}.tflite"
    (said,) = preflight(path, [target]).targets
    assert said.verdict != "runs" or target == "tflite-micro"
    shapes = [info.shape for info in inspect_artifact(path).inputs]
    sample = {"x": np.zeros([1, *(size or 12 for size in shapes[0][1:])], np.float32)}
    assert_placed(said, path, sample, engines)
