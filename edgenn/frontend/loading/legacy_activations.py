"""Activations by the name that Keras 2 gave them.

Most mean the same in Keras 3. ``hard_sigmoid`` does not, and Keras 3 takes the name without a
word: Keras 2 computed clip(0.2x + 0.5, 0, 1), Keras 3 computes relu6(x + 3) / 6.
"""

from collections.abc import Mapping
from typing import Any

from edgenn.errors import UnsupportedError
from edgenn.frontend.keras_import import keras
from edgenn.frontend.loading.reasons import UNKNOWN_CODE_HINT

_SAME_IN_KERAS_3 = frozenset(
    {
        "elu",
        "exponential",
        "gelu",
        "leaky_relu",
        "linear",
        "mish",
        "relu",
        "relu6",
        "selu",
        "sigmoid",
        "softmax",
        "softplus",
        "softsign",
        "swish",
        "tanh",
    }
)


@keras.saving.register_keras_serializable(package="edgenn")  # type: ignore[untyped-decorator]
def keras2_hard_sigmoid(x: Any) -> Any:
    """Keras 2's hard sigmoid, clip(0.2x + 0.5, 0, 1)."""
    ops = keras.ops
    return ops.clip(ops.add(ops.multiply(x, 0.2), 0.5), 0.0, 1.0)


def activation_named(name: str, custom_objects: Mapping[str, Any], where: str) -> Any:
    """The function that Keras 2 meant by ``name``; what the user passes comes first.

    Raises:
        UnsupportedError: Nobody knows the name.
    """
    custom = custom_objects.get(name) or keras.saving.get_registered_object(name)
    if custom is not None:
        return custom
    if name == "hard_sigmoid":
        return keras2_hard_sigmoid
    if name in _SAME_IN_KERAS_3:
        return keras.activations.get(name)
    raise UnsupportedError(
        f"{where}: activation '{name}' is not one of Keras 2",
        UNKNOWN_CODE_HINT,
    )
