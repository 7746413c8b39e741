"""docs/calibration.md: its command runs, and prints what stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

from support.markdown import blocks

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "calibration.md"


def words(text: str) -> list[str]:
    """The lines without their numbers, whose last digits differ from processor to processor."""
    return [re.sub(r"[\d.]+(e-\d+)?", "#", line).rstrip() for line in text.splitlines()]


def test_the_audit_of_the_digits() -> None:
    (command,), (printed,) = blocks(PAGE, "sh"), blocks(PAGE, "text")
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "80",
    }
    done = subprocess.run(
        ["bash", "-eu"], cwd=ROOT, input=command, text=True, capture_output=True, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [" ".join(line.split()) for line in words(done.stdout)] == [
        " ".join(line.split()) for line in words(printed)
    ]
