"""The one place of the frontend that imports Keras.

Use ``from edgenn.frontend.keras_import import keras``.
"""

from edgenn.errors import UnavailableError
from edgenn.quiet import import_keras

try:
    import_keras()
    import keras
except ImportError as error:
    raise UnavailableError(
        f"Keras models need the packages keras and tensorflow: {error}",
        'pip install "edgenn[convert]"',
    ) from error

__all__ = ["keras"]
