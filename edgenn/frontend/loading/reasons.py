"""What is wrong with a file in one line, and what to do about it."""

import re

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_CAUSE = "Error encountered:"  # Keras puts what it tried before, and the cause after
_PREFIX = "Exception encountered when calling"

UNKNOWN_CODE_HINT = (
    "give the Python file that defines it with --custom FILE (custom= in Python), or register it"
    " with @keras.saving.register_keras_serializable"
)
"""For classes and functions that a file only names."""


def reason(error: Exception) -> str:
    """The first telling line: Keras puts a general one before it, and colours it."""
    text = _ANSI.sub("", str(error)).split(_CAUSE)[-1]
    lines = [line.strip() for line in text.splitlines()]
    telling = [line for line in lines if line and not line.startswith(_PREFIX)]
    return telling[0] if telling else type(error).__name__
