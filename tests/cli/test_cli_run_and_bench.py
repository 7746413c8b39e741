"""``edgenn run --target`` and ``edgenn bench``, as a user types them."""

import json

import numpy as np
import pytest
from support.artifacts import (
    conv_graph,
    two_input_graph,
    write_crashing_tflite,
    write_onnx,
    write_tflite,
)
from support.bundles import SAMPLES, make_bundle, predict
from support.command_line import edgenn, edgenn_here, refused, succeeded

from edgenn.data import dataset

MINE = """
title = "mine"
kind = "microcontroller"
runner = "litert"
[artifact]
format = "tflite"
schemes = ["float32"]
batch = 1
[judge]
time = "none"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", SAMPLES)
    np.savez(tmp_path / "two.npz", left=SAMPLES[:2, :1, :1, :1], right=SAMPLES[:2, :1, :1, :1])
    (tmp_path / "mine.toml").write_text(MINE)
    write_tflite(conv_graph(1), tmp_path, "one.tflite")
    write_tflite(two_input_graph(1), tmp_path, "two.tflite")
    write_tflite(conv_graph(), tmp_path, "open.tflite")
    write_onnx(conv_graph(), tmp_path)
    write_crashing_tflite(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capfd, file, target, *options, data="x.npy"):
    files = ("--input", data, "--output", "y.npz")
    return edgenn_here(capfd, "run", file, *files, "--target", target, *options)


@pytest.mark.parametrize(
    ("file", "target"), [("one.tflite", "cpu-reference"), ("net.onnx", "cpu-onnxruntime")]
)
def test_a_shipped_target(folder, capfd, file, target):
    said = succeeded(run(capfd, file, target)).stdout
    assert "y (6, 4, 4, 3)" in said and "ms a sample" in said and "device" not in said
    with np.load("y.npz") as outputs:
        expected = predict(dataset({"x": SAMPLES}))["y"]
        np.testing.assert_allclose(outputs["y"], expected, atol=1e-5)


def test_a_target_of_ones_own(folder, capfd):
    said = succeeded(run(capfd, "one.tflite", "mine.toml")).stdout
    assert "says nothing of the device: this machine does the device's work" in said
    assert "second" in succeeded(run(capfd, "two.tflite", "mine.toml", data="two.npz")).stdout


@pytest.mark.parametrize(
    ("file", "target", "code", "problems"),
    [
        (
            "open.tflite",
            "mine.toml",
            2,
            ("batch is open, not 1", "edgenn convert", "--target mine"),
        ),
        ("net.onnx", "mine.toml", 2, ("net.onnx is not for mine: it is no .tflite file",)),
        ("one.tflite", "cpu-xnpack", 2, ("no target 'cpu-xnpack'", "cpu-xnnpack")),
        ("one.tflite", "no.toml", 2, ("no.toml cannot be read",)),
        ("no.tflite", "cpu-reference", 2, ("no.tflite does not exist",)),
        ("crash.tflite", "cpu-xnnpack", 5, ("crashed on this artifact: signal 11",)),
    ],
)
def test_what_does_not_run(folder, capfd, file, target, code, problems):
    refused(run(capfd, file, target), code, *problems)
    assert not (folder / "y.npz").exists()


def test_one_array_for_several_outputs(folder, capfd):
    said = edgenn_here(
        capfd, "run", "two.tflite", "--input", "two.npz", "--output", "y.npy",
        "--target", "cpu-xnnpack",
    )  # fmt: skip
    refused(said, 2, "y.npy takes one output, the artifact has 2: second, first")


@pytest.mark.parametrize("target", [(), ("--target", "cpu-xnnpack")])
def test_an_engine_that_takes_too_long(folder, capfd, target):
    files = ("--input", "x.npy", "--output", "y.npy")
    said = edgenn_here(capfd, "run", "one.tflite", *files, *target, "--time-limit", "0.001")
    refused(said, 5, "gave no answer in 0.001 s")


def test_bench_of_a_bundle(tmp_path):
    bundle = make_bundle(tmp_path, crash=True)
    said = edgenn("bench", bundle.path, "--runs", 5, "--warmup", 1, cwd=tmp_path)
    assert said.returncode == 5 and said.stderr == ""
    for word in ("net.float32.tflite", "cpu-xnnpack", "cpu-onnxruntime", "failed", "signal 11"):
        assert word in said.stdout
    assert max(map(len, said.stdout.splitlines())) <= 80


def test_bench_as_json(folder, capfd):
    targets = ("--target", "mine.toml", "--target", "cpu-reference")
    options = ("--runs", 4, "--warmup", 0, "--data", "x.npy", "--json")
    said = succeeded(edgenn_here(capfd, "bench", "one.tflite", *targets, *options))
    report = json.loads(said.stdout)
    assert (report["runs"], report["warmup"], report["data"]) == (4, 0, "x.npy")
    mine, reference = report["rows"]
    assert (mine["target"], reference["target"]) == ("mine", "cpu-reference")
    assert mine["not_the_device"] and not reference["not_the_device"]
    assert all(row["latency_ms"] > 0 and row["peak_memory_bytes"] > 0 for row in (mine, reference))


def test_bench_on_every_target(folder, capfd):
    options = ("--runs", 2, "--warmup", 0, "--all-targets", "--json")
    rows = json.loads(edgenn_here(capfd, "bench", "net.onnx", *options).stdout)["rows"]
    by_target = {row["target"]: row for row in rows}
    assert by_target["cpu-onnxruntime"]["latency_ms"] > 0
    assert "it is no .tflite file" in by_target["cpu-xnnpack"]["notes"][0]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("no.tflite",), "no.tflite does not exist"),
        (("x.npy",), "is no artifact"),
        ((".",), "is no edgenn bundle"),
        (("one.tflite", "--target", "nothing"), "no target 'nothing'"),
        (("one.tflite", "--target", "cpu-onnxruntime"), "takes none of the files"),
        (("one.tflite", "--data", "no.npy"), "no.npy does not exist"),
        (("one.tflite", "--data", "two.npz"), "no array for x"),
    ],
)
def test_what_cannot_be_measured(folder, capfd, arguments, problem):
    refused(edgenn_here(capfd, "bench", *arguments), 2, problem)


@pytest.mark.parametrize(
    "arguments",
    [("one.tflite", "--runs", "0"), ("one.tflite", "--target", "cpu-xnnpack", "--all-targets")],
)
def test_wrong_usage(folder, capfd, arguments):
    said = edgenn_here(capfd, "bench", *arguments)
    assert said.returncode == 2 and "Error: " in said.stderr
