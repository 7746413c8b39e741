"""GitHub workflow commands."""

import re
from urllib.parse import unquote

import pytest
from support.check_reports import failing_report

from edgenn.drift.report import CheckReport
from edgenn.report.annotations import annotations, wanted

COMMAND = re.compile(r"::error title=([^:,\r\n]*)::([^\r\n]*)")


def test_one_for_each_failure():
    lines = list(annotations(failing_report()))
    assert len(lines) == 7
    assert all(COMMAND.fullmatch(line) for line in lines)
    title, text = map(unquote, COMMAND.fullmatch(lines[2]).groups())
    assert title == "net, int8 cpu-xnnpack: accuracy of y"
    first, *others = text.splitlines()
    assert first.startswith("int8 cpu-xnnpack: accuracy of y is 60 %, limit: accuracy ≥ 97.7 %")
    assert others[0] == "budget: budget.toml [target.cpu-xnnpack]"
    assert others[1].startswith("layer: block/conv_2")


def test_what_would_end_a_command_is_escaped():
    line = next(annotations(failing_report("100 % wrong:\r\na, b::c")))
    assert COMMAND.fullmatch(line)
    assert "100 %25 wrong:%0D%0Aa, b::c" in line
    assert "title=net%2C int8 cpu-xnnpack%3A runs::" in line


def test_nothing_where_all_is_well():
    assert list(annotations(CheckReport("net", "x", "d", 1, "stored", {}, ()))) == []


@pytest.mark.parametrize(
    ("style", "environment", "expected"),
    [
        ("auto", {}, False),
        ("auto", {"GITHUB_ACTIONS": "true"}, True),
        ("none", {"GITHUB_ACTIONS": "true"}, False),
        ("github", {}, True),
    ],
)
def test_where_they_are_wanted(style, environment, expected):
    assert wanted(style, environment) is expected
