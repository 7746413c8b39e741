"""Every check in one file: appended by several at once, read back as series, never in the way."""

import json
import math
import sqlite3
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from edgenn import history
from edgenn.drift.report import CheckReport, Rung
from edgenn.errors import EdgennWarning, UsageError
from edgenn.history import read_history, record


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    path = tmp_path / "home" / "history.sqlite"
    monkeypatch.setenv("EDGENN_HISTORY", str(path))
    return path


def report(accuracy=0.9, *, name="net", fingerprint="f1", data="d1", target="cpu-xnnpack"):
    values = {"accuracy": accuracy, "rmse": 0.01, "sqnr_db": math.inf, "f1": None}
    rung = Rung(f"{name}.int8.tflite", "int8", target, metrics={"y": values})
    failed = Rung(f"{name}.int8.onnx", "int8", "cpu-onnxruntime", findings=("crashed",))
    return CheckReport(
        name,
        "x.npz",
        data,
        10,
        "stored",
        {"y": {"accuracy": 0.95}},
        (rung, failed),
        manifest={"source": {"sha256": fingerprint}, "edgenn_version": "0.1.0"},
    )


def values(series):
    return [point.value for point in series.points]


def test_a_metric_over_time(file):
    for accuracy in (0.9, 0.91, 0.89):
        record(report(accuracy), "build/net")
    found = read_history("net")
    assert (found.file, found.checks) == (str(file), 3)
    keras, rung = found.series
    assert (keras.label, values(keras)) == ("Keras", [0.95] * 3)
    assert (rung.model, rung.label, rung.output, rung.metric) == (
        "net",
        "int8 cpu-xnnpack",
        "y",
        "accuracy",
    )
    assert values(rung) == [0.9, 0.91, 0.89]
    first = rung.points[0]
    assert (first.fingerprint, first.data_sha256, first.exit_code) == ("f1", "d1", 1)
    assert [point.time for point in rung.points] == sorted(point.time for point in rung.points)


def test_what_a_check_leaves(file):
    record(report(), "build/net")
    with sqlite3.connect(file) as database:
        (row,) = database.execute("SELECT * FROM checks").fetchall()
        measures = database.execute("SELECT label, metric, value FROM measures").fetchall()
    assert row[2:] == (
        "0.1.0",
        "net",
        "f1",
        str(Path("build/net").absolute()),
        "x.npz",
        "d1",
        10,
        "default",
        1,
    )
    assert measures == [
        ("Keras", "accuracy", 0.95),
        ("int8 cpu-xnnpack", "accuracy", 0.9),
        ("int8 cpu-xnnpack", "rmse", 0.01),
        ("int8 cpu-xnnpack", "sqnr_db", None),
    ]


def test_choices():
    record(report(0.9), "a")
    record(report(0.8, target="tflite-micro"), "a")
    record(report(0.7, name="other"), "b")
    assert {series.model for series in read_history().series} == {"net", "other"}
    (rmse,) = read_history("other", metric="rmse").series
    assert values(rmse) == [0.01]
    (infinite,) = read_history("other", metric="sqnr_db").series
    assert values(infinite) == [None]
    labels = [series.label for series in read_history("net", target="tflite-micro").series]
    assert labels == ["Keras", "int8 tflite-micro"]
    latest = read_history("net", limit=1)
    assert latest.checks == 1
    assert [values(series) for series in latest.series] == [[0.95], [0.8]]


def test_without_labels_the_rmse_is_shown():
    unlabelled = report(None)
    record(CheckReport(**{**vars(unlabelled), "reference_metrics": {}}), "a")
    assert [series.metric for series in read_history().series] == ["rmse"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"model": "nett"}, ["no check of 'nett'", "net"]),
        ({"metric": "acuracy"}, ["no check with the metric 'acuracy'", "accuracy"]),
        ({"target": "cpu-xnpack"}, ["no check on 'cpu-xnpack'", "cpu-xnnpack"]),
    ],
)
def test_unknown_names(arguments, words):
    record(report(), "a")
    with pytest.raises(UsageError) as error:
        read_history(**arguments)
    for word in words:
        assert word in str(error.value)


def test_before_the_first_check(file):
    assert read_history().series == ()
    assert not file.exists()
    with pytest.raises(UsageError, match="there are no checks yet"):
        read_history("net")


@pytest.mark.parametrize("word", ["off", "OFF", "0", ""])
def test_turned_off(word, file, monkeypatch):
    monkeypatch.setenv("EDGENN_HISTORY", word)
    record(report(), "a")
    assert not file.exists()
    with pytest.raises(UsageError, match="the history is off"):
        read_history()


def test_the_file_is_in_the_data_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("EDGENN_HISTORY")
    monkeypatch.setenv("EDGENN_HOME", str(tmp_path / "own"))
    assert history.history_file() == tmp_path / "own" / "history.sqlite"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.write_bytes(b"no database at all" * 100), "not a database"),
        (lambda path: path.mkdir(), "unable to open"),
        (lambda path: path.parent.rmdir() or path.parent.write_text(""), "exists"),
    ],
)
def test_a_file_that_is_none_is_a_warning(file, spoil, reason):
    file.parent.mkdir()
    spoil(file)
    with pytest.warns(EdgennWarning, match=f"not in the history: .*{reason}.*EDGENN_HISTORY=off"):
        record(report(), "a")


def test_a_damaged_file_cannot_be_read(file):
    file.parent.mkdir()
    file.write_bytes(b"no database at all" * 100)
    with pytest.raises(UsageError, match=r"cannot be read: .*not a database.*move the file away"):
        read_history()


def test_a_damaged_page_is_a_warning(file):
    for _ in range(50):
        record(report(), "a")
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    file.write_bytes(content)
    with pytest.warns(EdgennWarning, match="malformed"):
        record(report(), "a")


def test_a_file_of_a_later_edgenn_is_left_alone(file):
    record(report(), "a")
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA user_version = 99")
    before = file.read_bytes()
    with pytest.warns(EdgennWarning, match="a later edgenn wrote it"):
        record(report(), "a")
    assert file.read_bytes() == before


def test_a_locked_file_is_waited_for_and_then_a_warning(file, monkeypatch):
    record(report(), "a")
    monkeypatch.setattr(history, "WAIT_S", 0.05)
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.warns(EdgennWarning, match="locked"):
        record(report(), "a")
    holder.execute("ROLLBACK")
    holder.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        record(report(), "a")
    assert read_history().checks == 2


def test_several_processes_at_once(file):
    """All of them begin with no file, and every check is kept."""
    script = (
        "import sys, warnings\n"
        "warnings.simplefilter('error')\n"
        "from edgenn.drift.report import CheckReport\n"
        "from edgenn.history import record\n"
        "sys.stdin.readline()\n"  # all begin together
        "for i in range(10):\n"
        "    metrics = {'y': {'accuracy': i / 10}}\n"
        "    record(CheckReport('net', 'x', 'd', 1, 'stored', metrics, ()), 'a')\n"
    )
    command = [sys.executable, "-c", script]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        _, stderr = process.communicate(timeout=120)
        assert process.returncode == 0, stderr
    assert read_history(limit=100).checks == 40


def test_it_is_plain_data(file):
    from edgenn.report import to_json

    record(report(), "a")
    data = json.loads(to_json(read_history()))
    assert data["schema"] == "edgenn.history/1"
    assert data["series"][1]["points"][0]["value"] == 0.9
