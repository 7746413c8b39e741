"""The packages that draw the page; they come with ``pip install edgenn[report]``."""

from importlib import import_module
from types import ModuleType

from edgenn.errors import UnavailableError


def require(name: str) -> ModuleType:
    """Imports one of them.

    Raises:
        UnavailableError: It is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise UnavailableError(
            f"the HTML report needs the package {package}", "pip install 'edgenn[report]'"
        ) from error
