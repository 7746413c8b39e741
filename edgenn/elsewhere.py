"""Artifacts that another converter wrote, as a bundle to check."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgenn.bundle import Bundle


def artifacts_to_check(paths: str | Path | Sequence[str | Path], model: Any) -> Bundle:
    """The bundle of a folder."""
    if isinstance(paths, str | Path):
        return Bundle.load(paths)
    raise NotImplementedError
