"""What people see: tables within 80 columns, bars on terminals only, nobody else's messages."""

import os
import pty
import subprocess
import sys

import numpy as np
import pytest
from support.command_line import edgenn, edgenn_here, succeeded, user_environment
from support.digits import MODEL, RECIPE
from support.real_models import real

WIDTH = 80


def fits(text):
    assert text.isprintable() or "\n" in text
    for line in text.splitlines():
        assert len(line) <= WIDTH, line
        assert "…" not in line, f"cut: {line}"
        assert "\x1b" not in line


def test_tables_fit(digits, capfd, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    monkeypatch.chdir(digits.folder)
    fits(digits.said.stdout)
    for name in ("bundle/digits_cnn.int16x8.tflite", "bundle/digits_cnn.int8.onnx", MODEL):
        fits(succeeded(edgenn_here(capfd, "inspect", name)).stdout)
    fits(succeeded(edgenn_here(capfd, "check", "bundle", "--data", RECIPE)).stdout)


def test_tables_fit_with_long_names(small_model, images, tmp_path, capfd, monkeypatch):
    """Nothing is lost: long names go on in the next line."""
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    name = "a_network_with_a_name_that_no_table_was_made_for_and_that_goes_on_for_ever_" + "x" * 40
    np.save(tmp_path / "x.npy", images)
    out = tmp_path / "out"
    quantize = ("--quantize", "int16x8", "--quantize", "float32", "--calibration")
    convert = ("convert", small_model, "-o", out, "--name", name, *quantize, tmp_path / "x.npy")
    said = succeeded(edgenn_here(capfd, *convert))
    fits(said.stdout)
    first_column = "".join(line.split("  ")[0] for line in said.stdout.splitlines())
    assert f"{name}.int16x8.tflite" in first_column
    check = ("check", out, "--data", tmp_path / "x.npy", "--model", small_model)
    fits(succeeded(edgenn_here(capfd, *check)).stdout)
    fits(succeeded(edgenn_here(capfd, "inspect", out / f"{name}.int16x8.tflite")).stdout)


@pytest.mark.parametrize("columns", ["40", "200"])
def test_other_widths(small_bundle, capfd, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    said = succeeded(edgenn_here(capfd, "inspect", small_bundle.file("small.int8.tflite")))
    assert max(map(len, said.stdout.splitlines())) <= int(columns)


def test_terminals_that_lack_characters(small_bundle, tmp_path):
    artifact = small_bundle.file("small.int8.tflite")
    said = succeeded(edgenn("inspect", artifact, cwd=tmp_path, PYTHONIOENCODING="ascii"))
    assert "CONV_2D" in said.stdout


def test_predicting_with_keras_is_silent(digits, digits_data, tmp_path):
    """As a user has it: no variable of TensorFlow's is set. ``succeeded`` sees to the silence."""
    np.save(tmp_path / "x.npy", digits_data["test"][0][:3])
    computed = ("check", digits.bundle, "--data", "x.npy", "--model", MODEL)
    assert "computed" in succeeded(edgenn(*computed, cwd=tmp_path)).stdout


@pytest.mark.slow
@pytest.mark.parametrize("file", ["mlperf-tiny-kws/kws_ref_model", "mlperf-tiny-vww/vww_96.h5"])
def test_loading_old_files_is_silent(tmp_path, file):
    succeeded(edgenn("convert", real(file), "-o", "out", cwd=tmp_path))


RECIPE_OF_A_MOMENT = """
import keras
import numpy as np

EPOCHS, SEED = 2, 1

def build_model():
    model = keras.Sequential([keras.Input((4,), name="x"), keras.layers.Dense(2)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model

def load_data():
    x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    return {"train": (x, (x[:, 0] > 0).astype(int)), "test": (x, (x[:, 0] > 0).astype(int))}

def score(predictions, labels):
    return float((predictions.argmax(-1) == labels).mean())
"""


def test_a_recipe_is_trained_converted_and_checked_in_silence(tmp_path, capfd, monkeypatch):
    (tmp_path / "moment.py").write_text(RECIPE_OF_A_MOMENT)
    trained = succeeded(edgenn("train", "moment.py", cwd=tmp_path))
    assert "moment.keras" in trained.stdout
    monkeypatch.chdir(tmp_path)
    succeeded(edgenn_here(capfd, "convert", "moment.keras", "-o", "out"))
    checked = succeeded(edgenn("check", "out", "--data", "moment.py", cwd=tmp_path))
    fits(checked.stdout)


def test_bars_are_drawn_on_a_terminal_and_taken_away(small_model, images, tmp_path):
    np.save(tmp_path / "x.npy", images)
    terminal, stderr = pty.openpty()
    convert = ("convert", str(small_model), "-o", "out", "--quantize", "int8")
    result = subprocess.run(
        [sys.executable, "-m", "edgenn.cli.main", *convert, "--calibration", "x.npy"],
        stdout=subprocess.PIPE,
        stderr=stderr,
        check=True,
        cwd=tmp_path,
        env=user_environment(TERM="xterm", COLUMNS="80"),
    )
    os.close(stderr)
    seen = os.read(terminal, 1 << 16).decode()
    os.close(terminal)
    assert "calibrating" in seen and "100%" in seen
    assert seen.rstrip().endswith("\x1b[2K"), "the last line is wiped"
    assert "Warning" not in seen and "INFO" not in seen and "oneDNN" not in seen
    assert b"\x1b" not in result.stdout
