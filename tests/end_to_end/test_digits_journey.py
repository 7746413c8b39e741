"""The demo's way: convert, inspect, run and check the digits model, one command after another."""

import hashlib
import json
from collections import Counter

import keras
import numpy as np
import onnx
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from support.command_line import edgenn, succeeded
from support.digits import ARTIFACTS, MODEL, RECIPE

from edgenn.options import DEFAULT_TARGETS

STAGES = {"load", "capture", "calibrate", "quantize", "write_tflite", "write_onnx", "predict"}
BUILTINS = {number: name for name, number in vars(schema.BuiltinOperator).items() if name.isupper()}
FLOAT_ERROR = {"float32": 1e-5, "float16": 5e-3, "dynamic": 0.1, "int8": 0.1, "int16x8": 0.1}
"""Largest difference from Keras in a probability."""


@pytest.fixture(scope="module")
def expected(digits_data):
    model = keras.models.load_model(MODEL)
    return model.predict(digits_data["test"][0], verbose=0)


def test_the_bundle_holds_what_was_asked_for(digits):
    kept = {"manifest.json", "reference.npz", "channel_factors.npz"}
    assert {file.name for file in digits.bundle.iterdir()} == ARTIFACTS | kept
    assert {entry["file"] for entry in digits.manifest["artifacts"]} == ARTIFACTS
    assert {file.name for file in digits.folder.iterdir()} == {"bundle"}
    for name in ARTIFACTS:
        assert name in digits.said.stdout


def test_the_manifest_has_hashes_and_sizes(digits, digits_data):
    manifest = digits.manifest
    for entry in manifest["artifacts"]:
        content = (digits.bundle / entry["file"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
        assert entry["size_bytes"] == len(content)
    assert manifest["source"]["path"] == str(MODEL)
    assert manifest["source"]["format"] == "keras"
    assert manifest["source"]["sha256"] == hashlib.sha256(MODEL.read_bytes()).hexdigest()
    assert manifest["calibration"]["samples"] == len(digits_data["calibration"][0])
    assert len(manifest["calibration"]["sha256"]) == 64
    assert manifest["options"]["quantize"] == ["float32", "float16", "dynamic", "int8", "int16x8"]
    assert manifest["package_versions"]["keras"] == keras.__version__


def test_the_manifest_has_the_time_of_each_stage(digits):
    timings = digits.manifest["timings_s"]
    assert set(timings) == STAGES
    assert all(seconds > 0 for seconds in timings.values())


def test_the_manifest_counts_the_operators_of_the_files(digits):
    for entry in digits.manifest["artifacts"]:
        path = digits.bundle / entry["file"]
        counts = {kind.replace("_", "").lower(): n for kind, n in entry["op_counts"].items()}
        if entry["format"] == "onnx":
            kinds = Counter(node.op_type.lower() for node in onnx.load(path).graph.node)
            assert kinds["conv"] == counts["conv2d"] == 9
            assert kinds["transpose"] <= 2
            continue
        model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
        codes = [code.builtinCode for code in model.operatorCodes]
        kinds = Counter(
            BUILTINS[codes[op.opcodeIndex]].replace("_", "").lower()
            for op in model.subgraphs[0].operators
        )
        assert kinds == counts
        assert entry["macs"] == 544_912


def test_the_manifest_has_the_quantisation_of_the_files(digits):
    for entry in digits.manifest["artifacts"]:
        (source,), (target,) = entry["inputs"], entry["outputs"]
        assert (source["name"], source["shape"]) == ("image", [None, 8, 8, 1])
        assert (target["name"], target["shape"]) == ("digit", [None, 10])
        if entry["format"] == "onnx":
            assert source["dtype"] == target["dtype"] == "float32"
            assert source["scale"] is None
            continue
        interpreter = Interpreter(str(digits.bundle / entry["file"]))
        details = [*interpreter.get_input_details(), *interpreter.get_output_details()]
        for port, detail in zip((source, target), details, strict=True):
            assert port["dtype"] == np.dtype(detail["dtype"]).name
            if port["scale"] is not None:
                assert (np.float32(port["scale"]), port["zero_point"]) == detail["quantization"]
    tflite = [e for e in digits.manifest["artifacts"] if e["format"] == "tflite"]
    assert {e["scheme"]: e["inputs"][0]["dtype"] for e in tflite} == {
        "float32": "float32",
        "float16": "float32",
        "dynamic": "float32",
        "int8": "int8",
        "int16x8": "int16",
    }


@pytest.mark.parametrize("name", sorted(ARTIFACTS))
def test_run(digits, digits_data, expected, tmp_path, name):
    np.save(tmp_path / "x.npy", digits_data["test"][0])
    result = succeeded(
        edgenn("run", digits.bundle / name, "--input", "x.npy", "--output", "y.npy", cwd=tmp_path)
    )
    outputs = np.load(tmp_path / "y.npy")
    assert outputs.dtype == np.float32 and outputs.shape == expected.shape
    assert np.abs(outputs - expected).max() <= FLOAT_ERROR[name.split(".")[1]]
    assert (outputs.argmax(1) == expected.argmax(1)).mean() >= 0.99
    assert "digit (397, 10)" in result.stdout
    assert ("onnxruntime" if name.endswith("onnx") else "litert") in result.stdout


def test_check(digits, expected, digits_data):
    arguments = ("check", "bundle", "--data", RECIPE, "--json", "report.json")
    result = succeeded(edgenn(*arguments, cwd=digits.folder))
    accuracy = float((expected.argmax(1) == digits_data["test"][1]).mean())
    assert f"{100 * accuracy:.1f}" in result.stdout
    for word in (*DEFAULT_TARGETS, "stored", "acc."):
        assert word in result.stdout
    report = json.loads((digits.folder / "report.json").read_text("utf-8"), parse_constant=reject)
    (digits.folder / "report.json").unlink()
    assert report["samples"] == 397
    assert report["reference"] == "stored"
    assert report["reference_metrics"]["digit"]["accuracy"] == pytest.approx(accuracy)
    rungs = Counter(rung["target"] for rung in report["rungs"])
    assert rungs == {**dict.fromkeys(DEFAULT_TARGETS, 5), "graph": 3}
    for rung in report["rungs"]:
        (metrics,) = rung["metrics"].values()
        assert metrics["max_abs"] <= FLOAT_ERROR[rung["scheme"]]
        assert metrics["top1_agreement"] >= 0.99
        assert metrics["accuracy"] == pytest.approx(accuracy, abs=0.005)
        assert rung["findings"] == [] and rung["exit_code"] == 0
        assert rung["target"] == "graph" or rung["latency_ms"] > 0


def reject(constant):
    raise AssertionError(f"{constant} is no JSON")


@pytest.mark.parametrize("name", ["digits_cnn.int8.tflite", "digits_cnn.int8.onnx"])
def test_inspect_an_artifact(digits, name):
    result = succeeded(edgenn("inspect", name, "--json", cwd=digits.bundle))
    report = json.loads(result.stdout)
    entry = next(e for e in digits.manifest["artifacts"] if e["file"] == name)
    for key in ("sha256", "size_bytes", "inputs", "outputs"):
        assert report[key] == entry[key]
    result = succeeded(edgenn("inspect", name, cwd=digits.bundle))
    assert "image" in result.stdout and "(?, 8, 8, 1)" in result.stdout


def test_inspect_the_model(digits):
    result = succeeded(edgenn("inspect", MODEL, "--json", cwd=digits.folder))
    report = json.loads(result.stdout)
    model = keras.models.load_model(MODEL)
    assert report["parameters"] == model.count_params()
    assert report["macs"] == digits.manifest["artifacts"][0]["macs"]
    assert report["sha256"] == digits.manifest["source"]["sha256"]
    assert report["inputs"][0]["name"] == "image"
