"""Runs a Python file of the user's as a module."""

import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from edgenn.errors import ModelFileError
from edgenn.quiet import import_keras


def run_file(path: Path) -> ModuleType:
    """The module that a file makes.

    Raises:
        ModelFileError: The file is missing or fails.
    """
    if not path.is_file():
        raise ModelFileError(f"{path} does not exist")
    # a name of its own: files called like a package must not hide it
    module = ModuleType(f"edgenn_file_{path.stem}")
    module.__file__ = str(path)
    with suppress(ImportError):  # before the file imports it aloud
        import_keras()
    sys.modules[module.__name__] = module  # Keras finds classes that it registers by their module
    try:
        # compiled here: the import system would leave a __pycache__ beside the user's file, and
        # take an old one for a file that was changed within the same second
        exec(compile(path.read_bytes(), str(path), "exec"), vars(module))
    except (Exception, SystemExit) as error:
        raise ModelFileError(f"{path} fails: {type(error).__name__}: {error}") from error
    return module
