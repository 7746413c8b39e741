"""Engines in environments of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

import edgenn
from edgenn.errors import UnavailableError
from edgenn.runners.environments import Requirement, install, python_of

PINNED = Requirement(("no_such_engine",), ("no-such-engine==1.0",), own=True)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGENN_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


class Pip:
    """Stands in for pip, which would need a network."""

    def __init__(self, returncode=0, stderr=""):
        self.returncode = returncode
        self.stderr = stderr
        self.commands = []

    def __call__(self, command):
        self.commands.append(command)
        return subprocess.CompletedProcess(command, self.returncode, "", self.stderr)


def test_the_python_at_hand_where_it_has_the_engine():
    assert python_of("json", Requirement(("json", "os.path"))) == Path(sys.executable)


def test_what_is_missing_is_told_with_the_mend():
    missing = Requirement(("no_such_engine",), ("no-such-engine>=1",))
    mend = r"edgenn targets install engine, or pip install 'no-such-engine>=1'"
    with pytest.raises(UnavailableError, match=f"engine is not installed .{mend}"):
        python_of("engine", missing)
    with pytest.raises(UnavailableError, match=r"edgenn targets install engine\)"):
        python_of("engine", PINNED)
    with pytest.raises(UnavailableError, match="not installed"):
        python_of("engine", Requirement(("no_such_package.part",)))


def test_a_program_that_is_missing():
    needs = Requirement(("json",), commands=("no-such-compiler",))
    with pytest.raises(UnavailableError, match="needs the program no-such-compiler"):
        python_of("engine", needs)


def test_what_conflicts_is_never_taken_from_the_python_at_hand():
    with pytest.raises(UnavailableError):
        python_of("json", Requirement(("json",), own=True))


def test_an_environment_is_made_and_found_again(home):
    pip = Pip()
    python = install("engine", PINNED, pip)
    assert python.is_relative_to(home / "engines" / "engine")
    assert pip.commands[0][-2:] == ["numpy", "no-such-engine==1.0"]
    assert python_of("engine", PINNED) == python
    printed = subprocess.run(
        [python, "-c", "import edgenn; print(edgenn.__file__)"],
        capture_output=True,
        text=True,
        cwd=home,
        check=True,
    ).stdout
    assert Path(printed.strip()).resolve() == Path(edgenn.__file__).resolve()


def test_it_always_has_the_edgenn_that_runs(home):
    python = install("engine", PINNED, Pip())
    (link,) = (home / "engines/engine").glob("lib/python*/site-packages/edgenn")
    link.unlink()
    link.symlink_to(home)
    assert python_of("engine", PINNED) == python
    assert link.resolve() == Path(edgenn.__file__).resolve().parent


def test_nothing_is_left_where_pip_fails(home):
    pip = Pip(1, "line\nERROR: no matching distribution\n")
    with pytest.raises(UnavailableError, match=r"engine: pip could not .*no matching distribution"):
        install("engine", PINNED, pip)
    assert not (home / "engines" / "engine").exists()


def test_nothing_is_left_where_it_is_interrupted(home):
    def interrupted(command):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        install("engine", PINNED, interrupted)
    assert not (home / "engines" / "engine").exists()
