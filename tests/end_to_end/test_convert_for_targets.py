"""``edgenn convert --target``, then ``check``: each target gets its file."""

import json

import pytest
from support.command_line import edgenn, refused, succeeded
from support.digits import ROOT

MODEL = ROOT / "models" / "pretrained" / "digits_gru.keras"
RECIPE = ROOT / "models" / "digits_gru.py"
ONE_BOARD = """\
title = "A board that has every number"
kind = "microcontroller"
runner = "litert"
[artifact]
format = "tflite"
schemes = ["int8", "float32"]
batch = 1
recurrent = ["fused", "unrolled"]
[judge]
peer = "cpu-reference"
tolerances = { float32 = 1e-5 }
time = "none"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("targets")
    (folder / "board.toml").write_text(ONE_BOARD)
    (folder / "other.toml").write_text(ONE_BOARD)
    targets = ("cpu-xnnpack", "cpu-onnxruntime", "board.toml", "other.toml")
    options = [word for name in targets for word in ("--target", name)]
    data = ("--calibration", RECIPE, "--quantize", "int8", "--quantize", "float32")
    succeeded(edgenn("convert", MODEL, "-o", "bundle", *data, *options, cwd=folder))
    return folder


def test_each_target_has_its_file_and_some_share_one(folder):
    manifest = json.loads((folder / "bundle/manifest.json").read_text())
    found = {entry["file"]: tuple(entry["targets"]) for entry in manifest["artifacts"]}
    boards = ("board", "other")
    assert found == {
        "digits_gru.int8.tflite": ("cpu-xnnpack",),
        "digits_gru.float32.tflite": ("cpu-xnnpack",),
        "digits_gru.int8.onnx": ("cpu-onnxruntime",),
        "digits_gru.float32.onnx": ("cpu-onnxruntime",),
        "digits_gru.int8.unrolled.batch1.tflite": boards,
        "digits_gru.float32.unrolled.batch1.tflite": boards,
    }
    assert manifest["options"]["targets"] == ["cpu-xnnpack", "cpu-onnxruntime", *boards]
    for entry in manifest["artifacts"]:
        fixed = "batch1" in entry["file"]
        assert entry["inputs"][0]["shape"][0] == (1 if fixed else None)
        assert entry["recurrent"]["form"] == ("unrolled" if fixed else entry["recurrent"]["form"])


def test_check_gives_each_target_its_files(folder):
    names = ("board.toml", "cpu-xnnpack", "cpu-onnxruntime")
    options = [word for name in names for word in ("--target", name)]
    command = ("check", "bundle", "--data", RECIPE, *options, "--json", "report.json")
    result = succeeded(edgenn(*command, cwd=folder))
    assert max(map(len, result.stdout.splitlines())) <= 80
    rungs = json.loads((folder / "report.json").read_text())["rungs"]
    assert (rungs[0]["artifact"], rungs[0]["target"]) == ("", "float graph")
    assert {(rung["artifact"], rung["target"]) for rung in rungs[1:]} == {
        (f"digits_gru.{scheme}{rest}", target)
        for scheme in ("int8", "float32")
        for rest, target in (
            (".tflite", "cpu-xnnpack"),
            (".onnx", "cpu-onnxruntime"),
            (".unrolled.batch1.tflite", "board"),
        )
    }
    judged = [rung for rung in rungs if rung["target"] == "board" and rung["scheme"] == "float32"]
    assert judged[0]["peer"] == "cpu-reference" and judged[0]["peer_difference"] <= 1e-5


def test_the_same_bytes_again(folder, tmp_path):
    (tmp_path / "board.toml").write_text(ONE_BOARD)
    data = ("--calibration", RECIPE, "--target", "board.toml")
    succeeded(edgenn("convert", MODEL, "-o", "bundle", *data, cwd=tmp_path))
    file = "digits_gru.int8.unrolled.batch1.tflite"
    assert (tmp_path / "bundle" / file).read_bytes() == (folder / "bundle" / file).read_bytes()


@pytest.mark.parametrize(
    ("options", "problems"),
    [
        (["--target", "cpu-xnpack"], ["no target 'cpu-xnpack'", "cpu-xnnpack"]),
        (["--target", "none.toml"], ["none.toml", "cannot be read"]),
        (["--target", "bad.toml"], ["bad.toml, line 2", "'kind'", "microcontroller"]),
        (["--target", "cpu-xnnpack", "--format", "onnx"], ["leave --format out"]),
        (["--target", "board.toml"], ["int8 needs calibration data"]),
        (
            ["--target", "board.toml", "--quantize", "dynamic"],
            ["board takes int8 or float32, not dynamic", "--quantize int8"],
        ),
        (["--format", "hls4ml"], ["hls4ml files hold none of float32", "fixed16"]),
    ],
)
def test_what_does_not_go_together(folder, options, problems):
    (folder / "bad.toml").write_text(ONE_BOARD.replace("microcontroller", "toaster"))
    refused(edgenn("convert", MODEL, "-o", "new", *options, cwd=folder), 2, *problems)
    assert not (folder / "new").exists()


@pytest.mark.parametrize(
    ("options", "code", "problems"),
    [
        (["--target", "cpu-onnxrunntime"], 2, ["cpu-onnxruntime"]),
        (["--target", "cpu-xnnpack", "--all-targets"], 2, []),
        (["--target", "strict.toml"], 2, ["no file for strict", "convert MODEL -o DIR --target"]),
        (["--target", "runner.toml"], 2, ["no runner 'no-such-engine'"]),
    ],
)
def test_check_refuses(folder, options, code, problems):
    strict = ONE_BOARD.replace("batch = 1", "batch = 3")
    (folder / "strict.toml").write_text(strict)
    (folder / "runner.toml").write_text(ONE_BOARD.replace('"litert"', '"no-such-engine"'))
    result = edgenn("check", "bundle", "--data", RECIPE, *options, cwd=folder)
    assert result.returncode == code
    assert result.stdout == ""
    for problem in problems:
        assert problem in result.stderr


def test_a_hanging_engine_is_stopped(folder):
    options = ("--target", "cpu-xnnpack", "--time-limit", "0.001")
    result = edgenn("check", "bundle", "--data", RECIPE, *options, cwd=folder)
    assert result.returncode == 5, result.stderr
    assert "the engine gave no answer in 0.001 s" in " ".join(result.stdout.split())
