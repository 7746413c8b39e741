"""The classes behind ``keras.ops``, by name.

Keras records an instance of one of these for every ``keras.ops`` call on symbolic tensors. The
classes are not public; their names are those of the functions and hold across versions, and
some exist in newer versions only.
"""

import inspect
from typing import Any

from edgenn.frontend.keras_import import keras

MODULES = ("numpy", "nn", "math", "core", "image", "linalg")


def _classes() -> dict[str, type]:
    modules = [getattr(keras.src.ops, name) for name in MODULES]
    modules.append(keras.src.activations.activations)
    found: dict[str, type] = {}
    for module in modules:
        for name, value in vars(module).items():
            if inspect.isclass(value) and issubclass(value, keras.Operation):
                found.setdefault(name, value)
    return found


OPERATIONS = _classes()


def operations(*names: str) -> tuple[type, ...]:
    """The classes of these operations, without those that this Keras does not have."""
    return tuple(OPERATIONS[name] for name in names if name in OPERATIONS)


def operation_table(entries: dict[str, Any]) -> dict[type, Any]:
    """``name: entry`` as ``class: entry``, for ``register_table``."""
    return {OPERATIONS[name]: entry for name, entry in entries.items() if name in OPERATIONS}
