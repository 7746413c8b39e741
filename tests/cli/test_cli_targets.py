"""``edgenn targets``: what there is, and how what is missing gets here."""

import io
import json
import time

import pytest
from rich.console import Console
from support.command_line import edgenn, edgenn_here, refused, succeeded

from edgenn.report.targets import print_descriptions, print_targets
from edgenn.runners.availability import Availability, Lack, TargetList
from edgenn.targets import target_names

HERE = Availability(
    "cpu-reference", "Kernels", "cpu", "Bit [for] bit.", "litert-reference", "", False,
    "tflite", ("float32", "int8"), True, (),
)  # fmt: skip
MEND = "edgenn targets install tosa-reference"
AWAY = Availability(
    "ethos-u55-128", "An NPU", "npu", "", "tosa-reference", "vela", True, "tflite", ("int8",),
    False, (Lack("tosa-reference", "tosa-reference is not installed", MEND),
            Lack("vela", "no [Vela] " + "here " * 20, "")),
)  # fmt: skip


def printed(show):
    stream = io.StringIO()
    show(TargetList((HERE, AWAY, AWAY)), Console(file=stream, width=80))
    text = stream.getvalue()
    assert max(map(len, text.splitlines())) <= 80 and "…" not in text
    return text


def test_the_table():
    text = printed(print_targets)
    first, second = text.splitlines()[2:4]
    assert first.split() == ["cpu-reference", "litert-reference", "yes", "Kernels"]
    assert second.split() == ["ethos-u55-128", "tosa-reference", "+", "vela", "no", "An", "NPU"]


def test_what_is_lacking_is_told_once():
    lines = printed(print_targets).splitlines()
    assert lines.count("tosa-reference is not installed") == 1
    assert lines.count(f"  {MEND}") == 1
    assert any(line.startswith("vela: no [Vela] here") for line in lines)


def test_descriptions():
    text = " ".join(printed(print_descriptions).split())
    assert "cpu-reference: Kernels Bit [for] bit. Takes .tflite files in float32, int8." in text
    assert "Runs on tosa-reference + vela. Installed on request." in text
    assert text.count(MEND) == 2


def test_all_are_listed_at_once(tmp_path):
    began = time.perf_counter()
    listed = json.loads(succeeded(edgenn("targets", "--json", cwd=tmp_path)).stdout)["targets"]
    assert time.perf_counter() - began < 10, "nothing heavy is started"
    assert [target["name"] for target in listed] == target_names()
    for target in listed:
        assert target["available"] or all(lack["mend"] for lack in target["lacks"])


@pytest.mark.parametrize("flags", [(), ("--verbose",)])
def test_people_see_every_target(capfd, flags):
    said = succeeded(edgenn_here(capfd, "targets", *flags)).stdout
    assert all(name in said for name in target_names())


def test_nothing_is_installed_twice(capfd):
    said = succeeded(edgenn_here(capfd, "targets", "install", "cpu-xnnpack")).stdout
    assert said.startswith("litert: already in this Python")


def test_neither_a_target_nor_an_engine(capfd):
    said = edgenn_here(capfd, "targets", "install", "cpu-xnpack")
    refused(said, 2, "no target or engine 'cpu-xnpack'", "cpu-xnnpack")
