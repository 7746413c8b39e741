import io
import json

import numpy as np
import pytest
from rich.console import Console
from support.artifacts import int8_conv_graph, write_tflite
from support.bundles import SAMPLES, Told, make_bundle, predict
from support.targets import fake_target

from edgenn.data import dataset
from edgenn.drift import METRICS, CheckReport, Rung, check_bundle
from edgenn.errors import OutputError
from edgenn.inspection import inspect_artifact
from edgenn.report import print_bundle, print_check, print_inspection, to_json, write_json
from edgenn.report.numbers import (
    cosine_text,
    magnitude_text,
    metric_text,
    milliseconds_text,
    size_text,
)
from edgenn.runners import FakeRunner

SCHEMES = ("float32", "float16", "dynamic", "int8", "int16x8")
VALUES = {
    "max_abs": 1.2345e-05,
    "rmse": 1.2345e-06,
    "sqnr_db": 123.456,
    "cosine": 0.9999999,
    "top1_agreement": 1.0,
    "accuracy": 0.98765,
}


def printed(show, report):
    stream = io.StringIO()
    show(report, Console(file=stream, width=80))
    text = stream.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    return text


def widest_report():
    rungs = tuple(
        Rung(f"net.{s}.tflite", s, target, "fake", "1.0", {"y": VALUES}, 1234.5)
        for s in SCHEMES
        for target in ("cpu-reference", "cpu-xnnpack")
    )
    return CheckReport("net", "test.npz", "ab", 397, "stored", {"y": VALUES}, rungs)


def test_widest_table_fits_and_shortens_nothing():
    text = printed(print_check, widest_report())
    assert "…" not in text
    for cell in ("1.2e-05", "123.5", "100.0", "98.8", "cpu-reference", "int16x8"):
        assert cell in text
    for name in VALUES:
        assert (METRICS[name].title in text) == METRICS[name].in_table
    assert text.count("int8") == 1, "a scheme is named once"
    assert "Keras" in text


def test_columns_without_values_are_left_out(tmp_path):
    report = check_bundle(
        make_bundle(tmp_path, reference=False), dataset({"x": SAMPLES}), Told(), []
    )
    text = printed(print_check, report)
    assert "acc." not in text


def test_failures_and_warnings_are_told(tmp_path):
    rung = Rung("n.int8.tflite", "int8", "LiteRT", findings=("signal 11 [x]",), warnings=("w",))
    missing = Rung("n.int8.onnx", "int8", "cpu-onnxruntime", findings=("no package",), exit_code=4)
    report = CheckReport("net", "d", "", 1, "stored", {"y": VALUES}, (rung, missing))
    text = printed(print_check, report)
    assert "failed" in text and "absent" in text
    assert "n.int8.tflite on LiteRT: signal 11 [x]" in text


def test_several_outputs_have_a_table_each():
    rung = Rung("n.float32.tflite", "float32", "t", "e", "1", {"a": VALUES, "b": VALUES}, 1.0)
    report = CheckReport("net", "d", "", 1, "stored", {"a": VALUES, "b": VALUES}, (rung,))
    text = printed(print_check, report)
    assert "output a" in text and "output b" in text


def test_bundle_and_inspection(tmp_path):
    text = " ".join(printed(print_bundle, make_bundle(tmp_path)).split())
    assert "net.float32.onnx" in text and "864" in text and "1.5 s" in text
    text = printed(print_inspection, inspect_artifact(write_tflite(int8_conv_graph(), tmp_path)))
    assert "CONV_2D × 1" in text and "(?, 4, 4, 2)" in text and "int8" in text


def test_json_has_everything_and_no_infinity(tmp_path):
    report = check_bundle(
        make_bundle(tmp_path),
        dataset({"x": SAMPLES}),
        Told(),
        [fake_target(FakeRunner(lambda inputs: predict(dataset(inputs))))],
    )
    assert report.rungs[0].metrics["y"]["sqnr_db"] == np.inf

    def refuse(word):
        raise AssertionError(word)

    data = json.loads(to_json(report), parse_constant=refuse)
    assert data["rungs"][0]["metrics"]["y"]["sqnr_db"] is None
    assert data["rungs"][0]["metrics"]["y"]["max_abs"] == 0
    assert data["samples"] == 6
    write_json(report, tmp_path / "r.json")
    assert json.loads((tmp_path / "r.json").read_text()) == data
    with pytest.raises(OutputError):
        write_json(report, tmp_path / "missing" / "r.json")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (magnitude_text(0), "0"),
        (magnitude_text(0.012345), "0.0123"),
        (magnitude_text(12345.0), "1.2e+04"),
        (cosine_text(0.9999999), "0.99999"),
        (cosine_text(1.0), "1.00000"),
        (metric_text("sqnr_db", float("inf")), "∞"),
        (metric_text("rmse", None), "-"),
        (metric_text("accuracy", 0.5), "50.0"),
        (milliseconds_text(0.0567), "0.057"),
        (milliseconds_text(None), "-"),
        (size_text(999), "999 B"),
        (size_text(12_345), "12.3 kB"),
        (size_text(3_000_000_000), "3.0 GB"),
    ],
)
def test_numbers(text, expected):
    assert text == expected
