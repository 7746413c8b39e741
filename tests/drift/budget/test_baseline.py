"""A stored baseline: what it keeps, and when it is refused."""

import json
import math
from dataclasses import replace

import pytest

from edgenn.drift.budget import Baseline, Stored
from edgenn.drift.report import CheckReport, Rung
from edgenn.errors import UsageError

MODEL, DATA = "a" * 64, "d" * 64


def report(*rungs):
    manifest = {"source": {"sha256": MODEL}, "edgenn_version": "0.1.0"}
    return CheckReport("net", "x.npz", DATA, 10, "stored", {}, rungs, manifest=manifest)


RUNG = Rung(
    "net.int8.tflite",
    "int8",
    "cpu-xnnpack",
    metrics={"y": {"rmse": 0.01, "sqnr_db": math.inf, "accuracy": None}},
    samples=10,
)


def test_there_and_back(tmp_path):
    path = tmp_path / "baseline.json"
    crashed = Rung("net.int8.onnx", "int8", "cpu-onnxruntime", findings=("crashed",))
    Baseline.of(report(RUNG, crashed)).write(path)
    first = path.read_bytes()
    stored = Baseline.read(path)
    assert stored.rungs == {"int8 cpu-xnnpack": Stored(10, {"y": {"rmse": 0.01}})}
    stored.require_fits("net", MODEL, DATA, str(path))
    stored.write(path)
    assert path.read_bytes() == first
    assert json.loads(first)["schema"] == "edgenn.baseline/1"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (("other", MODEL, DATA), ["the model's name is 'other', there 'net'"]),
        (("net", "b" * 64, DATA), ["the model's sha256 is bbbbbbbbbbbb…, there aaaaaaaaaaaa…"]),
        (("net", MODEL, "e" * 64), ["the data's sha256 is eeeeeeeeeeee…, there dddddddddddd…"]),
        (("other", "b" * 64, DATA), ["name", "model's sha256"]),
    ],
)
def test_of_another_model_or_other_data(changed, words):
    with pytest.raises(UsageError) as error:
        Baseline.of(report(RUNG)).require_fits(*changed, "baseline.json")
    assert "--update-baseline" in error.value.hint
    for word in ["baseline.json is of something else", *words]:
        assert word in error.value.message
    assert ("data" in error.value.message) == (changed[2] != DATA)


def test_notes_of_rungs_that_are_missing():
    stored = Baseline.of(report(RUNG))
    assert stored.notes([RUNG]) == ()
    (fewer,) = stored.notes([replace(RUNG, samples=4)])
    assert fewer == "not compared with the baseline, of other samples: int8 cpu-xnnpack"
    other = Rung("net.int8.tflite", "int8", "tflite-micro", metrics={"y": {}})
    new, gone = stored.notes([other])
    assert "not in the baseline: int8 tflite-micro" in new
    assert "not checked: int8 cpu-xnnpack" in gone


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is no JSON"),
        ("[]", "the schema None"),
        ('{"schema": "edgenn.baseline/9"}', "the schema 'edgenn.baseline/9', this edgenn reads"),
        ('{"schema": "edgenn.baseline/1"}', "is damaged"),
        (
            '{"schema": "edgenn.baseline/1", "model": {"name": "n", "sha256": ""},'
            ' "data_sha256": "", "edgenn_version": "",'
            ' "rungs": {"a": {"samples": 1, "metrics": {"y": {"rmse": "x"}}}}}',
            "is damaged",
        ),
    ],
)
def test_files_that_are_none(tmp_path, text, words):
    path = tmp_path / "baseline.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=words) as error:
        Baseline.read(path)
    assert "--update-baseline" in error.value.hint


def test_no_file(tmp_path):
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        Baseline.read(tmp_path / "none.json")
