"""The shipped GRU, which reads digits row by row: every scheme and format names them rightly."""

import json
from collections import Counter

import numpy as np
import pytest
from support.command_line import edgenn, succeeded
from support.digits import ROOT, SCHEMES

import edgenn as library
from edgenn.data import load_recipe
from edgenn.frontend.loading import load_model

MODEL = ROOT / "models" / "pretrained" / "digits_gru.keras"
RECIPE = ROOT / "models" / "digits_gru.py"
FLOAT_ERROR = {"float32": 1e-5, "float16": 5e-3, "dynamic": 0.15, "int8": 0.15, "int16x8": 0.15}
"""Largest difference from Keras in a probability."""
READ_BACK = {"dynamic", "int8", "int16x8"}
"""Schemes whose .tflite files are a rung as they are read back."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits_gru")
    quantize = [word for scheme in SCHEMES for word in ("--quantize", scheme)]
    data = ("--calibration", RECIPE)
    succeeded(edgenn("convert", MODEL, "-o", "bundle", *data, *quantize, cwd=folder))
    return folder


@pytest.fixture(scope="module")
def digits():
    """Test samples, their labels, and what Keras says of them."""
    x, labels = load_recipe(RECIPE).split("test")
    return x, labels, load_model(MODEL).model.predict(x, verbose=0)


@pytest.mark.parametrize("format_", ["tflite", "onnx"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_file_names_the_digits(folder, digits, scheme, format_):
    x, labels, expected = digits
    with library.Session(folder / f"bundle/digits_gru.{scheme}.{format_}") as session:
        results = session.run(x)
    assert np.abs(results - expected).max() <= FLOAT_ERROR[scheme]
    assert (results.argmax(1) == expected.argmax(1)).mean() >= 0.99
    assert load_recipe(RECIPE).score(results, labels) >= 0.97


def test_check_finds_no_drift_to_speak_of(folder):
    command = ("check", "bundle", "--data", RECIPE, "--json", "report.json")
    succeeded(edgenn(*command, cwd=folder))
    report = json.loads((folder / "report.json").read_text("utf-8"))
    assert Counter(rung["target"] for rung in report["rungs"]) == {
        "float graph": 1,
        "graph": len(READ_BACK),
        **dict.fromkeys(("cpu-reference", "cpu-xnnpack", "cpu-onnxruntime"), len(SCHEMES)),
    }
    assert {rung["scheme"] for rung in report["rungs"] if rung["target"] == "graph"} == READ_BACK
    for rung in report["rungs"]:
        (metrics,) = rung["metrics"].values()
        assert rung["findings"] == [] and rung["exit_code"] == 0
        assert metrics["accuracy"] >= 0.97
        assert metrics["max_abs"] <= FLOAT_ERROR[rung["scheme"]]
