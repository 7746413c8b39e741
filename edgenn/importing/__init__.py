"""Bytes of a .tflite → Graph: the inverse of ``export``."""

from edgenn.importing.reader import read_tflite_graph

__all__ = ["read_tflite_graph"]
