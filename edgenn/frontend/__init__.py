"""A Keras model → ``Graph``: one small handler per layer; what has none is traced."""

from edgenn.frontend.capture import capture

__all__ = ["capture"]
