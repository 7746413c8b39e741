"""Runners by name, and those that other packages add."""

import importlib.metadata

import pytest

from edgenn.errors import UnavailableError, UsageError
from edgenn.runners import LiteRTRunner, Runner, runner_class, runner_names
from edgenn.runners.registry import BUILT_IN


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_runner_of_edgenn_is_there_by_its_own_name(name):
    runner = runner_class(name)
    assert issubclass(runner, Runner)
    assert runner.name == name
    assert runner.suffix in (".tflite", ".onnx", ".hls4ml")


def test_unknown_names_get_the_nearest():
    with pytest.raises(UsageError, match=r"no runner 'tflite-mikro'.*tflite-micro"):
        runner_class("tflite-mikro")


@pytest.fixture
def added(monkeypatch):
    """Lets a package add entry points."""

    def add(**values):
        points = [
            importlib.metadata.EntryPoint(name, value, "edgenn.runners")
            for name, value in values.items()
        ]
        found = importlib.metadata.EntryPoints(points)
        monkeypatch.setattr("edgenn.runners.registry.entry_points", lambda group: found)

    return add


def test_a_plug_in(added):
    added(board="edgenn.runners.litert:LiteRTRunner")
    assert runner_class("board") is LiteRTRunner
    assert runner_names()[-1] == "board"


def test_a_plug_in_cannot_hide_a_runner_of_edgenn(added):
    added(litert="json:JSONDecoder")
    assert runner_class("litert") is LiteRTRunner


@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        ("no_such_package:Board", UnavailableError, "cannot be imported: No module named"),
        ("json:Board", UnavailableError, "cannot be imported"),
        ("json:JSONDecoder", UsageError, "no class of edgenn.runners.Runner"),
        ("json:dumps", UsageError, "no class of edgenn.runners.Runner"),
    ],
)
def test_a_broken_plug_in(added, value, kind, words):
    added(board=value)
    with pytest.raises(kind, match=words):
        runner_class("board")
