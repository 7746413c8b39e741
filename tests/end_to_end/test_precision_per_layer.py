"""``convert --keep-float LAYER`` and ``--only LAYER``: what a drift report may end in."""

import hashlib
import json

import keras
import numpy as np
import onnxruntime
import pytest
from support.command_line import edgenn_here, refused, succeeded
from support.litert import run_bytes

from edgenn import convert
from edgenn.errors import EdgennWarning, UnsupportedError, UsageError
from edgenn.manifest import Manifest

layers = keras.layers


def images(count, seed=0):
    return np.random.default_rng(seed).uniform(0, 1, (count, 10, 10, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def model():
    """A model whose second layer is lost in 8 bits.

    It takes the difference of two equal channels 40 times, which is nothing; the small weights
    beside them, which decide, are less than a step of 40 / 127.
    """
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [
            keras.Input((10, 10, 3), name="image"),
            layers.Conv2D(8, 3, activation="relu", name="first"),
            layers.Conv2D(8, 3, use_bias=False, name="second"),
            layers.BatchNormalization(beta_initializer="ones", name="norm"),
            layers.ReLU(name="relu"),
            layers.GlobalAveragePooling2D(name="pool"),
            layers.Dense(4, name="score"),
        ],
        name="net",
    )
    kernel, bias = model.get_layer("first").get_weights()
    kernel[..., 1] = kernel[..., 0]
    model.get_layer("first").set_weights([kernel, bias])
    (kernel,) = model.get_layer("second").get_weights()
    kernel[:, :, 0] += 40
    kernel[:, :, 1] -= 40
    model.get_layer("second").set_weights([kernel])
    return model


@pytest.fixture(scope="module")
def sequence_model():
    keras.utils.set_random_seed(6)
    x = keras.Input((7, 12), name="rows")
    y = layers.Dense(24, activation="relu", name="before")(x)
    y = layers.GRU(24, return_sequences=True, name="gru")(y)
    y = layers.LSTM(16, name="lstm")(y)
    return keras.Model(x, layers.Dense(3, name="after")(y), name="seq")


def written(model, folder, *, samples=None, **options):
    samples = images(100) if samples is None else samples
    return convert(model, folder, calibration=samples, **{"io": "float32", **options})


def errors(bundle, model, x):
    """File → RMSE against Keras, on LiteRT's reference kernels or ONNX Runtime."""
    expected, result = model.predict(x, verbose=0), {}
    for artifact in bundle.manifest.artifacts:
        content = (bundle.path / artifact.file).read_bytes()
        name = artifact.inputs[0].name
        if artifact.format == "tflite":
            (values,) = run_bytes(content, {name: x}).values()
        else:
            (values,) = onnxruntime.InferenceSession(content).run(None, {name: x})
        result[artifact.file] = float(np.sqrt(np.mean((values - expected) ** 2)))
    return result


def hashes(bundle):
    files = sorted(bundle.path.glob("*.*"))
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.suffix in (".tflite", ".onnx")
    }


@pytest.fixture(scope="module")
def plain(model, tmp_path_factory):
    return written(model, tmp_path_factory.mktemp("plain") / "out", quantize=["int8"])


@pytest.fixture(scope="module")
def kept(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept") / "out"
    return written(model, folder, quantize=["int8"], keep_float=["second"])


def test_the_sensitive_layer_in_float_takes_most_of_the_error_away(plain, kept, model):
    x = images(50, seed=1)
    before, after = errors(plain, model, x), errors(kept, model, x)
    for format_ in ("tflite", "onnx"):
        assert after[f"net.int8.mixed.{format_}"] < before[f"net.int8.{format_}"] / 4


def test_another_layer_in_float_does_not(plain, model, tmp_path):
    other = written(model, tmp_path / "out", quantize=["int8"], keep_float=["score"])
    x = images(50, seed=1)
    before, after = errors(plain, model, x), errors(other, model, x)
    assert after["net.int8.mixed.tflite"] > before["net.int8.tflite"] / 2


@pytest.mark.parametrize("name", ["norm", "relu", "se*nd"])
def test_any_layer_that_became_a_part_of_it_is_the_same(kept, model, tmp_path, name):
    again = written(model, tmp_path / "out", quantize=["int8"], keep_float=[name])
    assert hashes(again) == hashes(kept)


def test_the_same_bytes_twice(kept, model, tmp_path):
    again = written(model, tmp_path / "out", quantize=["int8"], keep_float=["second"])
    assert hashes(again) == hashes(kept)
    assert len(hashes(kept)) == 2


def test_the_manifest_says_which_and_how(kept):
    manifest = Manifest.from_json((kept.path / "manifest.json").read_text(), "manifest.json")
    assert manifest.options["keep_float"] == ["second"]
    assert manifest.options["only"] == []
    assert [artifact.precisions for artifact in manifest.artifacts] == [
        {"float32": ("second",)}
    ] * 2
    assert {artifact.scheme for artifact in manifest.artifacts} == {"int8"}


def test_the_last_layer_in_16_bits_gives_finer_outputs(model, tmp_path):
    options = {"samples": images(100), "io": None, "formats": ["tflite"]}
    bundle = written(model, tmp_path / "out", quantize=["int16x8"], only=["score"], **options)
    (artifact,) = bundle.manifest.artifacts
    assert artifact.file == "net.int16x8.mixed.tflite"
    assert artifact.precisions == {"int16": ("score",)}
    assert (artifact.inputs[0].dtype, artifact.outputs[0].dtype) == ("int8", "int16")


def test_all_schemes_in_one_conversion(model, tmp_path):
    bundle = written(
        model,
        tmp_path / "out",
        quantize=["float32", "dynamic", "int8", "int16x8"],
        formats=["tflite"],
        keep_float=["second"],
        only=["score"],
    )
    assert {a.file: dict(a.precisions) for a in bundle.manifest.artifacts} == {
        "net.float32.tflite": {},
        "net.dynamic.mixed.tflite": {"float32": ("second",)},
        "net.int8.mixed.tflite": {"float32": ("second",)},
        "net.int16x8.mixed.tflite": {"float32": ("second",), "int16": ("score",)},
    }


@pytest.mark.parametrize("rnn", ["loop", "unrolled", "step", "fused"])
def test_recurrent_layers_in_float(sequence_model, tmp_path, rnn):
    """The layer's weights are as large in the file as in Keras."""
    if rnn == "fused":  # which only LSTMs can be
        x = keras.Input((7, 24), name="rows")
        y = layers.LSTM(24, return_sequences=True, name="gru")(x)
        sequence_model = keras.Model(x, layers.LSTM(24, name="lstm")(y), name="seq")
    samples = np.random.default_rng(0).normal(size=(100, *sequence_model.input_shape[1:]))
    options = {"samples": samples.astype(np.float32), "formats": ["tflite"], "rnn": rnn}
    if rnn == "unrolled":  # or integer gates would need other ops
        options["rnn_precision"] = "float32"
    sizes = {}
    for name, keep in (("plain", []), ("kept", ["gru"])):
        bundle = written(
            sequence_model, tmp_path / name, quantize=["int8"], keep_float=keep, **options
        )
        (artifact,) = bundle.manifest.artifacts
        sizes[name] = artifact.size_bytes
    weights = sequence_model.get_layer("gru").count_params()
    copies = 7 if rnn == "unrolled" else 1
    assert 2 * weights < sizes["kept"] - sizes["plain"] < 3.5 * weights + 4000 * copies


@pytest.mark.parametrize("format_", ["tflite", "onnx"])
def test_a_model_that_is_all_float_again_drifts_no_more(sequence_model, tmp_path, format_):
    samples = np.random.default_rng(0).normal(size=(100, 7, 12)).astype(np.float32)
    bundle = written(
        sequence_model,
        tmp_path / "out",
        samples=samples,
        quantize=["int8"],
        formats=[format_],
        keep_float=["*"],
    )
    (error,) = errors(bundle, sequence_model, samples[:20]).values()
    assert error < 1e-6
    assert bundle.manifest.artifacts[0].recurrent.gates == "float32"


def test_targets_say_what_they_cannot_take(model, tmp_path):
    common = {"calibration": images(100), "targets": ["gpu-fp32"]}
    with pytest.raises(UsageError, match=r"gpu-fp32 takes .*, not int16x8"):
        convert(model, tmp_path / "a", quantize=["int16x8"], only=["second"], **common)
    common["targets"] = ["ethos-u55-128"]
    with pytest.warns(EdgennWarning, match=r"ethos-u55-128 leaves CONV_2D 'relu/float' in float32"):
        convert(model, tmp_path / "b", quantize=["int8"], keep_float=["second"], **common)


NO_FLOATS = """\
title = "A board without a floating-point unit"
kind = "npu"
runner = "litert"
[artifact]
format = "tflite"
schemes = ["int8"]
[ops]
elsewhere = "refused"
[[ops.limits]]
needs = { dtype = ["int8", "int32"] }
reason = "there are integers only"
"""


def test_targets_refuse_by_name_what_they_cannot_run(model, tmp_path):
    board = tmp_path / "board.toml"
    board.write_text(NO_FLOATS)
    options = {"quantize": ["int8"], "calibration": images(100), "targets": [board]}
    convert(model, tmp_path / "plain", **options)
    with pytest.raises(UnsupportedError, match="refuses CONV_2D 'relu/float' in float32") as caught:
        convert(model, tmp_path / "kept", keep_float=["second"], **options)
    assert "there are integers only" in caught.value.message
    assert "--keep-float" in caught.value.hint
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"quantize": ["float32"], "keep_float": ["second"]}, "no scheme that leaves it"),
        ({"quantize": ["int8"], "only": ["second"]}, "no scheme with 16 bits"),
        ({"quantize": ["int8"], "keep_float": ["secund"]}, "no layer 'secund' to keep in float32"),
        (
            {"quantize": ["int16x8"], "only": ["second"], "keep_float": ["norm"]},
            "to be kept in float32, and to compute in 16 bits",
        ),
    ],
)
def test_what_does_not_go_together(model, tmp_path, options, text):
    with pytest.raises(UsageError, match=text) as caught:
        written(model, tmp_path / "out", **options)
    assert caught.value.hint
    assert not (tmp_path / "out").exists()


def test_the_fused_lstm_has_no_16_bits(tmp_path):
    x = keras.Input((5, 4), name="rows")
    model = keras.Model(x, layers.LSTM(4, name="lstm")(x))
    samples = np.zeros((4, 5, 4), np.float32)
    options = {"quantize": ["int16x8"], "only": ["lstm"], "rnn": "fused", "formats": ["tflite"]}
    with pytest.raises(UnsupportedError, match="fused LSTM takes no int16x8"):
        written(model, tmp_path / "out", samples=samples, **options)


def test_the_command_line(model, tmp_path, capsys):
    model.save(tmp_path / "net.keras")
    np.save(tmp_path / "x.npy", images(100))
    words = ["convert", tmp_path / "net.keras", "--calibration", tmp_path / "x.npy"]
    words += ["--quantize", "int8", "--format", "tflite"]
    kept = ["--keep-float", "second", "--keep-float", "sc*", "--json"]
    said = succeeded(edgenn_here(capsys, *words, "-o", tmp_path / "out", *kept))
    (artifact,) = json.loads(said.stdout)["artifacts"]
    assert artifact["file"] == "net.int8.mixed.tflite"
    assert artifact["precisions"] == {"float32": ["second", "score"]}
    said = edgenn_here(capsys, *words, "-o", tmp_path / "no", "--keep-float", "seconds")
    refused(said, 2, "no layer 'seconds'", "most like it: second")
