"""Imports Keras without the noise that TensorFlow's libraries make while they load."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any


def import_keras() -> Any:
    """The package ``keras``, imported in silence.

    Raises:
        ImportError: It is not installed.
    """
    # Both are read when the packages are imported; what the user has set wins.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with _native_stderr_closed():
        import keras
    return keras


@contextlib.contextmanager
def _native_stderr_closed() -> Iterator[None]:
    """TensorFlow's libraries write to file descriptor 2 while they load, at any log level."""
    if "tensorflow" in sys.modules or os.environ["TF_CPP_MIN_LOG_LEVEL"] != "3":
        yield
        return
    sys.stderr.flush()
    saved, sink = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(sink)
