"""docs/add-a-target.md, followed word by word."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.markdown import blocks

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "add-a-target.md"
FILES = ("my-board.toml", "my_board.py", "pyproject.toml")


@pytest.fixture
def shell(tmp_path):
    """Runs a block of the page in a folder that looks like a checkout."""
    (tmp_path / "models").symlink_to(ROOT / "models")
    packages = tmp_path / "packages"
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        # what the page installs goes to a folder of the test's, and is built with what is here
        "PIP_TARGET": str(packages),
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip's way to say "no isolation" in the environment
        "PYTHONPATH": str(packages),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }

    def run(text):
        done = subprocess.run(
            ["bash", "-eu"],
            cwd=tmp_path,
            input=text,
            text=True,
            capture_output=True,
            env=environment,
        )
        assert done.returncode == 0, done.stdout + done.stderr[-3000:]
        return done.stdout

    return run


def test_the_page(tmp_path, shell):
    profile, pyproject = blocks(PAGE, "toml")
    (module,) = blocks(PAGE, "python")
    with_profile, with_engine = blocks(PAGE, "sh")
    for name, text in zip(FILES, (profile, module, pyproject), strict=True):
        assert f"`{name}`" in PAGE.read_text()
        (tmp_path / name).write_text(text)
    printed = shell(with_profile)
    assert re.search(r"int8 +my-board +0\.0", printed)
    assert (tmp_path / "build/digits/digits_cnn.int8.batch1.tflite").is_file()
    printed = shell(with_engine)
    assert re.search(r"int8 +my-board +0\.0", printed)
    assert "kernels without" in printed


def test_it_is_under_a_page():
    profile, *_ = PAGE.read_text().split("## An engine")
    assert len(profile.splitlines()) < 50
