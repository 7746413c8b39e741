"""The pages' code is run as it stands: what a reader copies works."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.markdown import blocks

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that looks like a checkout as far as the pages need one."""
    (tmp_path / "models").symlink_to(ROOT / "models")
    return tmp_path


def run(command: list[str], folder: Path, text: str) -> str:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    done = subprocess.run(
        command, cwd=folder, input=text, text=True, capture_output=True, env=environment
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize(
    ("page", "languages"),
    [
        ("README.md", ("sh", "python")),
        ("docs/recurrent.md", ("sh", "python")),
        ("docs/targets.md", ("sh",)),
        ("docs/budgets.md", ("sh",)),
        ("docs/checks.md", ("sh",)),
    ],
)
def test_shell_and_python(folder: Path, page: str, languages: tuple[str, ...]) -> None:
    commands = {"sh": ["bash", "-eu"], "python": [sys.executable, "-"]}
    for language in ("sh", "python"):
        code = blocks(ROOT / page, language)
        assert bool(code) == (language in languages)
        if code:
            run(commands[language], folder, "\n".join(code))


def test_contributing(folder: Path) -> None:
    python = blocks(ROOT / "CONTRIBUTING.md", "python")
    assert len(python) == 8
    run([sys.executable, "-"], folder, "\n".join(python))
