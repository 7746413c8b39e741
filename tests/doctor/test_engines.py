"""Engines that work, are absent, or are here and cannot work."""

from functools import partial

import pytest

from edgenn.doctor import engines
from edgenn.doctor.engines import examine_engine
from edgenn.errors import UnavailableError
from edgenn.runners import FakeRunner
from edgenn.runners.environments import Requirement, install
from edgenn.runners.gpu import GpuRunner
from edgenn.runners.vulkan import NO_NVIDIA_DRIVER, Device, Diagnosis

LAVAPIPE = Device(
    "llvmpipe", "cpu", "1.3", "llvmpipe Mesa 22.3.6", ("someFeature",), False, "l.json"
)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGENN_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "engines"


@pytest.fixture
def examined(monkeypatch):
    """Examines a runner of a requirement that nobody has registered."""

    def examine(requirement_, base=FakeRunner, diagnosis=None):
        class Given(base):
            name = "given"
            requirement = requirement_

        if diagnosis is not None:
            Given.diagnosis = diagnosis
        monkeypatch.setattr(engines, "runner_class", lambda name: Given)
        return examine_engine("given")

    return examine


def test_one_that_works_in_this_python(examined):
    state, troubles = examined(Requirement(("pytest",), ("pytest>=8",)))
    assert (state.state, state.environment, troubles) == ("works", "", ())
    assert state.versions == (("pytest", pytest.__version__),)


def test_one_that_is_not_installed_is_no_trouble(examined):
    state, troubles = examined(Requirement(("no_such_module",), ("no-such-package",)))
    assert (state.state, state.versions, troubles) == ("absent", (), ())


def test_one_in_an_environment_of_its_own(examined, home):
    requirement = Requirement(("json",), ("own",), own=True)
    done = partial(type, "Done", (), {"returncode": 0})
    install("given", requirement, lambda command: done())
    state, troubles = examined(requirement)
    assert (state.state, state.environment, troubles) == ("works", str(home / "given"), ())
    broken = Requirement(("no_such_module",), ("own",), own=True)
    state, (trouble,) = examined(broken)
    assert state.state == "broken"
    assert str(home / "given") in trouble.what and "No module named" in trouble.what
    assert trouble.is_fatal and trouble.mend == "edgenn targets install --force given"


def test_one_whose_import_fails(examined, tmp_path, monkeypatch):
    (tmp_path / "crashing.py").write_text("import os; os.abort()")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    state, (trouble,) = examined(Requirement(("crashing",), ("crashing>=1",)))
    assert state.state == "broken"
    assert trouble.what == "given in this Python cannot be imported: the import crashed: signal 6"
    assert trouble.mend == "pip install --force-reinstall 'crashing>=1'"


def test_one_that_lacks_a_program(examined):
    state, (trouble,) = examined(Requirement(("json",), commands=("no-such-compiler",)))
    assert state.state == "broken" and "needs the program no-such-compiler" in trouble.what


@pytest.mark.parametrize(
    ("diagnosis", "expected"),
    [
        (Diagnosis((), "there is no Vulkan loader", "apt-get"), "absent"),
        (Diagnosis((), "there is no Vulkan driver", "buy a GPU"), "absent"),
        (Diagnosis((), "there is no Vulkan driver", NO_NVIDIA_DRIVER), "broken"),
        (Diagnosis((LAVAPIPE,), "no Vulkan device will do", "update"), "broken"),
    ],
)
def test_a_machine_without_a_gpu_is_not_ill(examined, diagnosis, expected):
    state, troubles = examined(Requirement(("json",)), GpuRunner, diagnosis)
    assert state.state == expected
    assert [trouble.what for trouble in troubles] == [diagnosis.problem] * (expected == "broken")


def test_a_package_of_runners_that_cannot_be_imported(monkeypatch):
    def away(name):
        raise UnavailableError(f"the runner {name!r} cannot be imported", "mend it")

    monkeypatch.setattr(engines, "runner_class", away)
    state, (trouble,) = examine_engine("litert")
    assert state.state == "broken" and trouble.is_fatal
    assert "cpu-xnnpack" in trouble.breaks
