"""Errors of one target that are a line in a table while the other targets go on."""

from pathlib import Path
from typing import Final

from edgenn.errors import (
    ArtifactError,
    EdgennError,
    EngineError,
    UnavailableError,
    UnsupportedError,
)

FINDINGS: Final = (ArtifactError, EngineError, UnavailableError, UnsupportedError)
"""A file that one engine takes for damaged another may run."""


def without_path(error: EdgennError, path: Path) -> str:
    """What an error says, in a table whose rows name the file."""
    said = str(error).removeprefix(f"{path.absolute()}: ").removeprefix(f"{path}: ")
    return said.replace(str(path), path.name)
