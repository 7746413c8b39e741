"""Runs a Python file of the user's as a module."""

import sys
from contextlib import suppress
from importlib.util import module_from_spec, spec_from_file_location
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
    name = f"edgenn_file_{path.stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ModelFileError(f"{path} is no Python file", "its name has to end in .py")
    module = module_from_spec(spec)
    with suppress(ImportError):  # before the file imports it aloud
        import_keras()
    sys.modules[name] = module  # Keras finds classes that the file registers by their module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise ModelFileError(f"{path} fails: {type(error).__name__}: {error}") from error
    return module
