"""How long work says how far it is."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""``(stage, done, total)``, called while work goes on."""


def silent(stage: str, done: int, total: int) -> None:
    """The progress nobody watches."""
