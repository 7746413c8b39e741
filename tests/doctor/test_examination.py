"""Everything at once, and how it is told."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console
from support.command_line import edgenn_here, succeeded

from edgenn.doctor import examination
from edgenn.doctor.examination import examine, missing_drivers
from edgenn.doctor.report import EngineState, Package, Trouble
from edgenn.report import to_json
from edgenn.report.doctor import print_health
from edgenn.runners.vulkan import Diagnosis


def printed(health):
    stream = io.StringIO()
    print_health(health, Console(file=stream, width=80))
    return stream.getvalue()


@pytest.fixture(scope="module")
def health():
    return examine()


@pytest.fixture
def well(health):
    """The same, whatever may be wrong with this machine's optional engines."""
    return replace(health, troubles=tuple(t for t in health.troubles if not t.is_fatal))


def test_this_machine(health):
    packages = {package.name: package for package in health.packages}
    for name in ("numpy", "ai-edge-litert", "keras", "tensorflow", "onnxruntime"):
        assert packages[name].state == "works" and packages[name].version
    states = {engine.name: engine.state for engine in health.engines}
    assert states["litert"] == states["litert-reference"] == states["onnxruntime"] == "works"
    assert health.machine.cores >= 1 and health.edgenn
    is_broken = "broken" in {engine.state for engine in health.engines}
    assert health.exit_code == (4 if is_broken else 0)


def test_tables_fit_and_name_everything(well):
    text = printed(well)
    assert "…" not in text and "what is installed works" in text
    for name in (*(p.name for p in well.packages), *(e.name for e in well.engines)):
        assert name in text
    for line in text.splitlines():
        # commands and folders are not broken: they are there to be copied
        is_mend = any(line.strip() in trouble.mend for trouble in well.troubles)
        assert len(line) <= 80 or is_mend or " is in /" in line


def test_what_is_wrong_is_told_with_its_mend(health):
    trouble = Trouble("a [b] 1.0 is broken", "it is for [c]", "pip install 'a'; edgenn targets")
    note = Trouble("lavapipe", "it is slow", "wait", is_fatal=False)
    ill = replace(
        health,
        packages=(Package("a", "1.0", "sums", "broken"),),
        engines=(EngineState("e", "broken", "/home/[me]/engines/e", (("a", "1.0"),)),),
        vulkan=Diagnosis((), "there is no [Vulkan] loader", "apt-get"),
        troubles=(trouble, note),
    )
    assert ill.exit_code == 4
    lines = [line.rstrip() for line in printed(ill).splitlines()]
    at = lines.index("broken: a [b] 1.0 is broken")
    assert lines[at + 1 : at + 4] == ["  it is for [c]", "  pip install 'a'", "  edgenn targets"]
    assert "note: lavapipe" in lines and lines[-1] == "1 cannot work as they are"
    assert "e is in /home/[me]/engines/e" in lines
    assert any("none: there is no [Vulkan] loader" in line for line in lines)


def test_the_worst_comes_first(monkeypatch):
    note = Trouble("note", "", "", is_fatal=False)
    fatal = Trouble("fatal", "", "")
    monkeypatch.setattr(examination, "runner_names", list)
    monkeypatch.setattr(examination, "diagnose", lambda: Diagnosis(()))
    monkeypatch.setattr(examination, "examine_packages", lambda pool: ([], [note, fatal, note]))
    health = examine()
    assert health.troubles == (fatal, note) and health.exit_code == 4


def test_variables_that_name_drivers_that_are_not_there(tmp_path):
    here = tmp_path / "here.json"
    here.touch()
    environment = {"VK_ICD_FILENAMES": f"{here}:/no/such.json", "VK_DRIVER_FILES": ""}
    (trouble,) = missing_drivers(environment)
    assert trouble.what == "VK_ICD_FILENAMES names /no/such.json, which does not exist"
    assert missing_drivers({}) == []


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_the_command(well, capfd, monkeypatch, flags):
    monkeypatch.setattr("edgenn.doctor.examine", lambda progress: well)
    said = succeeded(edgenn_here(capfd, "doctor", *flags)).stdout
    if flags:
        assert json.loads(said) == json.loads(to_json(well))
    else:
        assert "what is installed works" in said


def test_the_command_fails_where_something_cannot_work(health, capfd, monkeypatch):
    ill = replace(health, troubles=(Trouble("x", "y", "z"),))
    monkeypatch.setattr("edgenn.doctor.examine", lambda progress: ill)
    said = edgenn_here(capfd, "doctor")
    assert (said.returncode, said.stderr) == (4, "")
