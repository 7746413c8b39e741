"""The command line, as a user types it."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgenn.cli.main import main

TERMINAL_SETTINGS = (
    "TF_CPP_MIN_LOG_LEVEL",
    "TF_ENABLE_ONEDNN_OPTS",
    "KERAS_BACKEND",
    "COLUMNS",
    "CUDA_VISIBLE_DEVICES",
)
"""What the tests' own surroundings set and a user's do not: silence must not come from there."""


@dataclass(frozen=True)
class Output:
    """What a command said."""

    returncode: int
    stdout: str
    stderr: str


def user_environment(**settings: str) -> dict[str, str]:
    """The environment of a user who has set nothing but ``settings``."""
    own = {name: value for name, value in os.environ.items() if name not in TERMINAL_SETTINGS}
    return {**own, **settings}


def edgenn(*arguments: object, cwd: Path, **settings: str) -> Output:
    """Runs ``edgenn ARGUMENTS`` in a process of its own."""
    result = subprocess.run(
        [sys.executable, "-P", "-m", "edgenn.cli.main", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=user_environment(**settings),
    )
    return Output(result.returncode, result.stdout, result.stderr)


def edgenn_here(capture: pytest.CaptureFixture[str], *arguments: object) -> Output:
    """The same in this process, which has imported Keras long since."""
    capture.readouterr()
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    said = capture.readouterr()
    return Output(int(end.value.code or 0), said.out, said.err)


def succeeded(result: Output) -> Output:
    """All well, and not a word on stderr."""
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result


def refused(result: Output, code: int, *problems: str) -> None:
    """One line on stderr that names every one of ``problems``, and nothing on stdout."""
    assert result.returncode == code, result.stdout + result.stderr
    assert len(result.stderr.splitlines()) == 1, result.stderr
    assert result.stderr.startswith("Error: ")
    for problem in problems:
        assert problem in result.stderr
    assert "not foreseen" not in result.stderr
    assert result.stdout == ""
