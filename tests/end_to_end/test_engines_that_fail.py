"""Engines that crash, refuse or hang on a file: a finding of one line, never a dead program."""

import json

import keras
import numpy as np
import pytest
from support.command_line import edgenn, refused, succeeded
from support.real_models import real
from support.targets import require

AWKWARD = {
    "audio_preprocessor_int8.tflite": (1, 480),
    "person_detect.tflite": (1, 96, 96, 1),
    "person_detect_vela.tflite": (1, 96, 96, 1),
}
TARGETS = ("cpu-reference", "cpu-xnnpack", "gpu-fp32", "tflite-micro", "ethos-u55-128")
RUNS = {
    ("audio_preprocessor_int8.tflite", "tflite-micro"),
    ("person_detect.tflite", "tflite-micro"),
    ("person_detect.tflite", "ethos-u55-128"),
}
"""LiteRT knows no signal processing, and refuses the axis of one scale that others ignore."""


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_files(tmp_path, name, target):
    require(target)
    path = real(f"awkward-dev/{name}")
    np.save(tmp_path / "x.npy", np.zeros(AWKWARD[name], np.float32))
    command = ("run", path, "--target", target, "--input", "x.npy", "--output", "y.npy")
    result = edgenn(*command, cwd=tmp_path)
    if (name, target) in RUNS:
        assert result.returncode == 0, result.stderr
        return
    refused(result, result.returncode, "")
    assert result.returncode in (2, 3, 5)
    assert not (tmp_path / "y.npy").exists()


@pytest.fixture(scope="module")
def lstm(tmp_path_factory):
    """A folder with a small LSTM and samples."""
    folder = tmp_path_factory.mktemp("lstm")
    model = keras.Sequential(
        [keras.Input((16, 8), name="x"), keras.layers.LSTM(16), keras.layers.Dense(3)]
    )
    model.save(folder / "lstm.keras")
    x = np.random.default_rng(0).normal(size=(32, 16, 8)).astype(np.float32)
    np.save(folder / "x.npy", x)
    return folder


@pytest.mark.parametrize(
    ("form", "gates", "codes"),
    [
        ("loop", "auto", {3}),
        ("fused", "auto", {3}),
        # what kills LiteRT's GPU runtime, or has done so: it may learn it, and its death is told
        ("unrolled", "int16", {3, 5}),
        ("unrolled", "int8", {0, 5}),
    ],
)
def test_an_int8_lstm_on_the_gpu(lstm, form, gates, codes):
    require("gpu-fp32")
    options = ["--rnn", form, "--rnn-precision", gates, "--batch", "1", "--format", "tflite"]
    folder = f"{form}-{gates}"
    data = ("--quantize", "int8", "--calibration", "x.npy")
    succeeded(edgenn("convert", "lstm.keras", "-o", folder, *data, *options, cwd=lstm))
    (lstm / "gpu.toml").write_text(GPU_OF_ANY_FORM.format(form=form))
    targets = ("--target", "gpu.toml", "--target", "cpu-xnnpack")
    command = ("check", folder, "--data", "x.npy", "--json", "r.json", *targets)
    result = edgenn(*command, cwd=lstm)
    assert result.returncode in codes, result.stdout + result.stderr
    rungs = json.loads((lstm / "r.json").read_text())["rungs"]
    assert [rung["target"] for rung in rungs] == ["float graph", "cpu-xnnpack", "gpu"]
    _, cpu, gpu = rungs
    assert (gpu["metrics"] is None) == bool(gpu["findings"]) == (result.returncode != 0)
    assert cpu["metrics"] is not None and not cpu["findings"]


def test_the_same_lstm_as_the_gpu_wants_it(lstm):
    require("gpu-fp32")
    data = ("--quantize", "int8", "--quantize", "float32", "--calibration", "x.npy")
    target = ("--target", "gpu-fp32")
    succeeded(edgenn("convert", "lstm.keras", "-o", "gpu", *data, *target, cwd=lstm))
    command = ("check", "gpu", "--data", "x.npy", "--json", "r.json", *target)
    succeeded(edgenn(*command, cwd=lstm))
    for rung in json.loads((lstm / "r.json").read_text())["rungs"]:
        (metrics,) = rung["metrics"].values()
        assert metrics["sqnr_db"] > (30 if rung["scheme"] == "int8" else 100)


GPU_OF_ANY_FORM = """\
title = "GPU, and no questions asked"
kind = "gpu"
runner = "litert-gpu"
[artifact]
format = "tflite"
schemes = ["int8"]
recurrent = ["{form}"]
"""
