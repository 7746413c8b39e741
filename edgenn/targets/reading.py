"""Reads a profile."""

from pathlib import Path

from edgenn.targets.profile import Profile
from edgenn.toml_files import read_toml, validated


def read_profile(path: Path) -> Profile:
    """The profile in a .toml file; its name is the file's.

    Raises:
        UsageError: The file cannot be read, is no TOML, or breaks the schema; the error says in
            which line, and what may stand there.
    """
    text, data = read_toml(path, "profile")
    return validated(Profile, {"name": path.stem, **data}, text, path)
