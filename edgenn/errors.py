"""Every exception that edgenn raises on purpose.

The tree, with the exit code of the command line in front::

    EdgennError
    ├── 2 UsageError             the call or the input is wrong
    │   ├── ModelFileError       a source model that cannot be read
    │   ├── ArtifactError        a .tflite or .onnx that cannot be read
    │   ├── DataError            calibration, validation or input data that do not fit
    │   └── OutputError          the result cannot be written
    ├── 3 UnsupportedError       a layer, op or scheme that cannot be converted
    ├── 4 UnavailableError       a package, engine or target that is not here
    └── 5 EngineError            an engine crashed, timed out or refused

``EdgennWarning`` is what goes on all the same; the command line prints it as one line.

Exit code 1 is not an error: it says that drift went over its budget.
"""

from typing import ClassVar


class EdgennError(Exception):
    """What is wrong, where, and what to do about it.

    Args:
        message: What is wrong and where (file, layer path, op), one line.
        hint: What to do, one line; shown after the message.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class EdgennWarning(UserWarning):
    """What is done as asked, but may not be what was meant."""


class UsageError(EdgennError):
    """The call or its input is wrong."""


class ModelFileError(UsageError):
    """A source model cannot be read."""


class ArtifactError(UsageError):
    """A .tflite or .onnx file cannot be read."""


class DataError(UsageError):
    """Calibration, validation or input data do not fit the model."""


class OutputError(UsageError):
    """The result cannot be written where it was asked for."""


class UnsupportedError(EdgennError):
    """A layer, op or scheme that cannot be converted."""

    exit_code = 3


class UnavailableError(EdgennError):
    """A package, engine or target that is not available here."""

    exit_code = 4


class EngineError(EdgennError):
    """An engine crashed, timed out or refused an artifact."""

    exit_code = 5
