"""Bad input gets one line on stderr, the right exit code, and nothing written."""

import json
import os
import subprocess
import sys

import click
import numpy as np
import pytest
from support.artifacts import (
    conv_graph,
    two_input_graph,
    write_crashing_tflite,
    write_onnx,
    write_tflite,
)
from support.bundles import SAMPLES, make_bundle

from edgenn.cli.errors import State, exit_code_of
from edgenn.errors import EngineError, UnavailableError, UnsupportedError

X = np.ones((3, 4, 4, 2), np.float32)


def edgenn(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "edgenn.cli.main", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )


def refused(result, code, problem):
    assert result.returncode == code, result.stderr
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("Error: ")
    assert problem in line
    assert "Traceback" not in result.stderr


@pytest.fixture
def artifact(tmp_path):
    np.save(tmp_path / "x.npy", X)
    return write_tflite(conv_graph(), tmp_path)


@pytest.mark.parametrize("write", [write_tflite, write_onnx])
def test_run(tmp_path, write):
    path = write(conv_graph(), tmp_path)
    np.save(tmp_path / "x.npy", X)
    result = edgenn("run", path, "--input", "x.npy", "--output", "y.npy", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert "y (3, 4, 4, 3)" in result.stdout
    assert np.load(tmp_path / "y.npy").shape == (3, 4, 4, 3)


def test_run_with_several_inputs_and_outputs(tmp_path):
    path = write_tflite(two_input_graph(), tmp_path)
    column = np.ones((2, 1, 1, 1), np.float32)
    np.savez(tmp_path / "x.npz", left=column, right=column)
    result = edgenn("run", path, "--input", "x.npz", "--output", "y.npz", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    with np.load(tmp_path / "y.npz") as outputs:
        assert set(outputs) == {"first", "second"}
        np.testing.assert_array_equal(outputs["first"], column * 3)
    result = edgenn("run", path, "--input", "x.npz", "--output", "z.npy", cwd=tmp_path)
    refused(result, 2, "takes one output, the artifact has 2: second, first (write to z.npz)")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("run", "no.tflite", "--input", "x.npy", "--output", "y.npy"), "no.tflite does not exist"),
        (("run", "net.tflite", "--input", "no.npy", "--output", "y.npy"), "no.npy does not exist"),
        (("run", "net.tflite", "--input", "bad.npy", "--output", "y.npy"), "must have shape"),
        (("run", "net.tflite", "--input", "nan.npy", "--output", "y.npy"), "NaN or infinite"),
        (("run", "net.tflite", "--input", "x.npy", "--output", "y.csv"), "end in .npy or .npz"),
        (("run", "net.tflite", "--input", "x.npy", "--output", "no/y.npy"), "No such file"),
        (("run", "net.keras", "--input", "x.npy", "--output", "y.npy"), "is no artifact"),
        (("run", "half.tflite", "--input", "x.npy", "--output", "y.npy"), "is damaged"),
        (("run", "noise.onnx", "--input", "x.npy", "--output", "y.npy"), "not an ONNX file"),
        (("train", "no.py"), "no.py does not exist"),
        (("train", "recipe.py"), "has no function build_model"),
    ],
)
def test_bad_input(tmp_path, artifact, arguments, problem):
    np.save(tmp_path / "bad.npy", X[:, :2])
    np.save(tmp_path / "nan.npy", X * np.nan)
    (tmp_path / "half.tflite").write_bytes(artifact.read_bytes()[:300])
    (tmp_path / "noise.onnx").write_bytes(bytes(range(256)))
    (tmp_path / "recipe.py").write_text("x = 1")
    before = set(tmp_path.rglob("*"))
    refused(edgenn(*arguments, cwd=tmp_path), 2, problem)
    assert {p for p in tmp_path.rglob("*") if p.name != "__pycache__"} == before


def test_a_crashing_engine(tmp_path):
    np.save(tmp_path / "x.npy", X)
    path = write_crashing_tflite(tmp_path)
    result = edgenn("run", path, "--input", "x.npy", "--output", "y.npy", cwd=tmp_path)
    refused(result, 5, "engine crashed on this artifact: signal 11")
    assert not (tmp_path / "y.npy").exists()


def test_debug_shows_the_traceback(tmp_path):
    arguments = ("run", "no.tflite", "--input", "x.npy", "--output", "y.npy", "--debug")
    result = edgenn(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert "Traceback" in result.stderr
    assert result.stderr.strip().splitlines()[-1].startswith("Error: no.tflite")
    result = edgenn("--debug", *arguments[:-1], cwd=tmp_path)
    assert "Traceback" in result.stderr


@pytest.mark.parametrize("arguments", [("nonsense",), ("run",), ("convert", "--batch", "0")])
def test_wrong_usage(tmp_path, arguments):
    result = edgenn(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert "Error: " in result.stderr and "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (UnsupportedError("layer a/b", "do this"), 3, "Error: layer a/b (do this)\n"),
        (UnavailableError("no keras"), 4, "Error: no keras\n"),
        (EngineError("two\nlines"), 5, "Error: two lines\n"),
        (KeyError("x"), 2, "Error: KeyError: 'x' (not foreseen"),
        (KeyboardInterrupt(), 130, "Interrupted."),
        (click.Abort(), 130, "Interrupted."),
        (click.FileError("f", "hint"), 2, "Error: Could not open file 'f': hint"),
    ],
)
def test_exit_codes(capsys, error, code, text):
    def fail():
        raise error

    assert exit_code_of(fail, State()) == code
    assert text in capsys.readouterr().err


def test_exit_code_of_a_command():
    assert exit_code_of(lambda: 1, State()) == 1
    assert exit_code_of(lambda: None, State()) == 0


@pytest.mark.parametrize("arguments", [["--help"], ["inspect", "net.tflite"]])
def test_a_reader_that_went_away(tmp_path, artifact, arguments):
    read_end, write_end = os.pipe()
    os.close(read_end)
    result = subprocess.run(
        [sys.executable, "-m", "edgenn.cli.main", *arguments],
        stdout=write_end,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    os.close(write_end)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("write", [write_tflite, write_onnx])
def test_inspect(tmp_path, write):
    path = write(conv_graph(), tmp_path)
    result = edgenn("inspect", path, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "conv" in result.stdout.lower()
    result = edgenn("inspect", path, "--json", cwd=tmp_path)
    assert json.loads(result.stdout)["inputs"][0]["shape"] == [None, 4, 4, 2]


def test_check(tmp_path):
    np.savez(tmp_path / "d.npz", x=SAMPLES)
    bundle = make_bundle(tmp_path).path
    arguments = ("check", bundle, "--data", "d.npz", "--json", "r.json")
    result = edgenn(*arguments, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "cpu-onnxruntime" in result.stdout and "cpu-reference" in result.stdout
    assert json.loads((tmp_path / "r.json").read_text())["reference"] == "stored"
    np.savez(tmp_path / "d.npz", x=SAMPLES + 1)
    refused(edgenn(*arguments, cwd=tmp_path), 2, "no Keras predictions")
    (bundle / "net.float32.onnx").write_bytes(b"changed")
    refused(edgenn(*arguments, cwd=tmp_path), 2, "its hash differs")


def test_check_of_a_crashing_engine(tmp_path):
    np.savez(tmp_path / "d.npz", x=SAMPLES)
    bundle = make_bundle(tmp_path, crash=True).path
    result = edgenn("check", bundle, "--data", "d.npz", cwd=tmp_path)
    assert result.returncode == 5, result.stderr
    assert "signal 11" in result.stdout and "failed" in result.stdout
