"""``edgenn history``: what checks left, in a table or as JSON."""

import json

import pytest
from support.check_reports import failing_report
from support.command_line import edgenn, refused, succeeded

from edgenn.history import record


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "history.sqlite"
    monkeypatch.setenv("EDGENN_HISTORY", str(path))
    return path


def test_a_table_of_80_columns(file, tmp_path):
    for _ in range(3):
        record(failing_report(), tmp_path / "net")
    text = succeeded(edgenn("history", cwd=tmp_path)).stdout
    assert text.startswith("net: accuracy in %, ")
    row = ["int8", "cpu-xnnpack", "▄▄▄", "3", "60.0", "60.0", "60.0"]
    assert row in [line.split() for line in text.splitlines()]
    assert max(map(len, text.splitlines())) <= 80


def test_json(file, tmp_path):
    record(failing_report(), tmp_path / "net")
    arguments = ("history", "net", "--target", "cpu-reference", "--limit", 1, "--json")
    data = json.loads(succeeded(edgenn(*arguments, cwd=tmp_path)).stdout)
    assert [series["label"] for series in data["series"]] == ["Keras", "int8 cpu-reference"]


def test_before_the_first_check(file, tmp_path):
    assert str(file) in succeeded(edgenn("history", cwd=tmp_path)).stdout.replace("\n", "")


def test_an_unknown_model(file, tmp_path):
    record(failing_report(), tmp_path / "net")
    refused(edgenn("history", "nett", cwd=tmp_path), 2, "no check of 'nett'", "most like it: net")


def test_turned_off(tmp_path):
    result = edgenn("history", cwd=tmp_path, EDGENN_HISTORY="off")
    refused(result, 2, "the history is off", "unset EDGENN_HISTORY")
