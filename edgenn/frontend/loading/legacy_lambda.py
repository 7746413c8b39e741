"""``Lambda`` layers of Keras 2: a named function, or Python byte code in the file."""

import base64
import marshal
import types
from collections.abc import Mapping
from typing import Any

import numpy as np

from edgenn.errors import ModelFileError, UnsupportedError
from edgenn.frontend.keras_import import keras
from edgenn.frontend.loading.reasons import UNKNOWN_CODE_HINT


def lambda_layer(
    config: Mapping[str, Any], unsafe: bool, custom_objects: Mapping[str, Any], where: str
) -> Any:
    """The layer with its function found by name, or, if ``unsafe``, read from byte code.

    Raises:
        UnsupportedError: Byte code without ``unsafe``, or a name that nobody registered.
        ModelFileError: Byte code that this Python cannot read.
    """
    function = config["function"]
    if config.get("function_type") == "function" or isinstance(function, str):
        resolved = custom_objects.get(function) or keras.saving.get_registered_object(function)
        if resolved is None:
            raise UnsupportedError(
                f"{where} calls the Python function '{function}', which the file does not hold",
                UNKNOWN_CODE_HINT,
            )
    elif not unsafe:
        raise UnsupportedError(
            f"{where} holds Python byte code, which is not run unless you say so",
            "replace the Lambda by a layer class, or allow it with --unsafe (unsafe=True) "
            "if you trust the file's author",
        )
    else:
        resolved = _function_from_byte_code(function, where)
    return keras.layers.Lambda(
        resolved, arguments=dict(config.get("arguments") or {}), name=config["name"]
    )


def _function_from_byte_code(stored: Any, where: str) -> Any:
    """Keras 2 stores ``[base64 of marshal, defaults, closure]``."""
    try:
        code, defaults, closure = stored
        byte_code = marshal.loads(base64.b64decode(code))
        return types.FunctionType(
            byte_code,
            _names_for_byte_code(),
            argdefs=None if defaults is None else tuple(defaults),
            closure=None if closure is None else tuple(types.CellType(c) for c in closure),
        )
    except (ValueError, EOFError, TypeError) as error:
        raise ModelFileError(
            f"{where}: its byte code was written by another Python version ({error})",
            "replace the Lambda by a layer class in the source and save the model again",
        ) from error


def _names_for_byte_code() -> dict[str, Any]:
    """What the module of a Lambda usually has imported."""
    import tensorflow as tf

    return {
        "__builtins__": __builtins__,
        "keras": keras,
        "K": keras.backend,
        "np": np,
        "numpy": np,
        "ops": keras.ops,
        "tf": tf,
    }
