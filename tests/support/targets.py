"""Targets without an engine."""

import pytest

from edgenn.errors import UnavailableError
from edgenn.runners import FakeRunner
from edgenn.runners.target import Target
from edgenn.targets import Profile, find_target


def fake_profile(
    name="fake", *, format_="tflite", schemes=("float32", "int8"), **tables
) -> Profile:
    """A profile whose runner nobody asks for."""
    artifact = {"format": format_, "schemes": schemes, **tables.pop("artifact", {})}
    return Profile.model_validate(
        {"name": name, "title": name, "kind": "cpu", "runner": name, "artifact": artifact, **tables}
    )


def fake_target(runner: FakeRunner, name="fake", estimator=None, **tables) -> Target:
    """A target of a fake runner; tables are those of its profile."""
    format_ = runner.suffix.removeprefix(".")
    return Target(fake_profile(name, format_=format_, **tables), runner, estimator)


def cpu_targets() -> list[Target]:
    """What ``edgenn check`` runs on where it is not told."""
    names = ("cpu-reference", "cpu-xnnpack", "cpu-onnxruntime")
    return [Target.of(find_target(name)) for name in names]


def require(name: str) -> Target:
    """A target that is installed here; where it is not the test skips, and says what is missing."""
    target = Target.of(find_target(name))
    try:
        for engine in target.engines:
            engine.require_available()
    except UnavailableError as error:
        pytest.skip(f"{name}: {error}")
    return target
