"""The one place that imports Keras: its backend and TensorFlow's log level are set before.

Use ``from edgenn.frontend.keras_import import keras``.
"""

import contextlib
import os
import sys
from collections.abc import Iterator

from edgenn.errors import UnavailableError

# Both are read when the packages are imported; what the user has set wins.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")


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


try:
    with _native_stderr_closed():
        import keras
except ImportError as error:
    raise UnavailableError(
        f"Keras models need the packages keras and tensorflow: {error}",
        'pip install "edgenn[convert]"',
    ) from error

__all__ = ["keras"]
