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


@pytest.mark.parametrize("page", ["README.md", "docs/recurrent.md"])
def test_shell_and_python(folder: Path, page: str) -> None:
    shell = blocks(ROOT / page, "sh")
    python = blocks(ROOT / page, "python")
    assert shell
    assert python
    run(["bash", "-eu"], folder, "\n".join(shell))
    run([sys.executable, "-"], folder, "\n".join(python))


def test_contributing(folder: Path) -> None:
    python = blocks(ROOT / "CONTRIBUTING.md", "python")
    assert len(python) == 5
    run([sys.executable, "-"], folder, "\n".join(python))
