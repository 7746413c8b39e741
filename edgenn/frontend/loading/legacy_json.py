"""The JSON of Keras 2: what JSON lacks is written as objects with a ``class_name``."""

import json
from typing import Any

_SEQUENCES = frozenset({"__tuple__", "TensorShape"})


def decode(text: str | bytes) -> Any:
    """JSON of Keras 2 → plain values; tuples and shapes become lists.

    Raises:
        ValueError: The text is not JSON.
    """
    return json.loads(text, object_hook=_plain)


def _plain(value: dict[str, Any]) -> Any:
    if value.get("class_name") in _SEQUENCES and "items" in value:
        return value["items"]
    if value.get("type") == "ndarray" and set(value) == {"type", "value"}:
        return value["value"]  # numbers, in Keras 2.1 and 2.2
    return value
