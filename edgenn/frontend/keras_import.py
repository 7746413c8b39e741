"""The one place that imports Keras: its backend and TensorFlow's log level are set before.

Use ``from edgenn.frontend.keras_import import keras``.
"""

import os

from edgenn.errors import UnavailableError

# Both are read when the packages are imported; what the user has set wins.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

try:
    import keras
except ImportError as error:
    raise UnavailableError(
        f"Keras models need the packages keras and tensorflow: {error}",
        'pip install "edgenn[convert]"',
    ) from error

__all__ = ["keras"]
