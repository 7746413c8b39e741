"""edgenn: Keras models on the edge, and proof that they still do what they did.

``Session`` runs artifacts and needs NumPy and one engine; ``convert``, ``check``, ``bench`` and
``inspect`` make and judge them. Each is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgenn.api import bench, check, convert, inspect
    from edgenn.runtime import Session

__all__ = ["Session", "bench", "check", "convert", "inspect"]

_HOMES = {
    "Session": "edgenn.runtime",
    "bench": "edgenn.api",
    "check": "edgenn.api",
    "convert": "edgenn.api",
    "inspect": "edgenn.api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
