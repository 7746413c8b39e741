"""Engines are installed where they are missing, and only there."""

import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from edgenn.errors import UnavailableError, UsageError
from edgenn.runners import FakeRunner
from edgenn.runners.environments import Requirement, install
from edgenn.runners.installation import engines_of, install_engine
from edgenn.runners.installed import distributions, import_failure, python_with, versions

OWN = Requirement(("own_engine",), ("own-engine>=1", "numpy"), own=True)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGENN_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "engines"


class Engine(FakeRunner):
    name = "own"
    requirement = OWN


class Here(FakeRunner):
    name = "here"
    requirement = Requirement(("pytest",), ("pytest>=8",))


def pip(command, *, module="x = 1"):
    """What pip would do: the engine's module and its metadata appear beside pip's own."""
    (site,) = Path(command[0]).parents[1].glob("lib/python*/site-packages")
    (site / "own_engine.py").write_text(module)
    metadata = site / "own_engine-1.5.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: own-engine\nVersion: 1.5\n")
    return subprocess.CompletedProcess(command, 0, "", "")


def make(module="x = 1"):
    return partial(install, run=partial(pip, module=module))


def never(*_):
    raise AssertionError


def test_a_missing_engine_gets_an_environment(home):
    said = []
    done = install_engine(Engine(), said.append, make=make())
    assert done.is_new and done.environment == home / "own"
    assert done.versions == {"own-engine": "1.5"}
    assert "own-engine>=1" in said[0]


def test_a_second_time_it_is_left_alone(home):
    install_engine(Engine(), never_mind, make=make())
    done = install_engine(Engine(), never, make=never)
    assert not done.is_new
    assert done.environment == home / "own" and done.versions == {"own-engine": "1.5"}


def never_mind(line):
    pass


def test_force_makes_it_anew(home):
    install_engine(Engine(), never_mind, make=make())
    (home / "own" / "trace").touch()
    assert install_engine(Engine(), never_mind, force=True, make=make()).is_new
    assert not (home / "own" / "trace").exists()


@pytest.mark.parametrize("force", [False, True])
def test_what_this_python_has_stays_as_it_is(home, force):
    done = install_engine(Here(), never, force=force, make=never)
    assert not done.is_new and done.environment is None
    assert done.versions == {"pytest": pytest.__version__}
    assert not home.exists()


def test_what_cannot_be_imported_is_no_success():
    broken = make("raise ImportError('wrong NumPy')")
    with pytest.raises(UnavailableError, match="ImportError: wrong NumPy"):
        install_engine(Engine(), never_mind, make=broken)


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("x = 1", ""),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("import os; os.abort()", "the import crashed: signal 6"),
        ("import time; time.sleep(60)", "the import did not end in 0.5 s"),
    ],
)
def test_why_a_module_cannot_be_imported(home, module, reason):
    python = make(module)("own", OWN)
    limit = 0.5 if "sleep" in module else 60
    assert import_failure(python, ["own_engine"], time_limit_s=limit) == reason


def test_a_python_that_is_broken(home):
    python = make()("own", OWN)
    python.unlink()
    python.mkdir()
    assert "cannot be run" in import_failure(python, ["own_engine"])
    shutil.rmtree(home)
    assert python_with("own", OWN) is None


def test_programs_that_are_missing_say_nothing_of_packages():
    needs = Requirement(("json",), commands=("no-such-compiler",))
    assert python_with("engine", needs) == Path(sys.executable)


def test_names_and_versions_of_packages():
    requirement = Requirement(packages=("tflite-micro>=0.dev1", "a.b_c[x]==1", "numpy", "z~=2"))
    assert distributions(requirement) == ("tflite-micro", "a.b_c", "numpy", "z")
    here = versions(Path(sys.executable), ["pytest", "no-such-package"])
    assert here == {"pytest": pytest.__version__}


def test_a_target_an_engine_and_a_profile(tmp_path):
    assert [engine.name for engine in engines_of("cpu-xnnpack")] == ["litert"]
    assert [engine.name for engine in engines_of("litert-reference")] == ["litert-reference"]
    profile = tmp_path / "mine.toml"
    profile.write_text(
        'title = "t"\nkind = "cpu"\nrunner = "litert"\nestimator = "onnxruntime"\n'
        '[artifact]\nformat = "tflite"\nschemes = ["int8"]\n'
    )
    assert [engine.name for engine in engines_of(str(profile))] == ["litert", "onnxruntime"]


def test_neither_a_target_nor_an_engine():
    with pytest.raises(UsageError, match=r"no target or engine 'cpu-xnpack' .*cpu-xnnpack"):
        engines_of("cpu-xnpack")
