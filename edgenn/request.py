"""What a conversion was asked for, once it is known to go together."""

from collections.abc import Sequence
from typing import Any

from edgenn.errors import UsageError
from edgenn.options import CALIBRATORS, FORMATS, IO_DTYPES, SCHEMES
from edgenn.quantization.schemes import Scheme, missing_calibration


def chosen_schemes(
    formats: Sequence[str],
    quantize: Sequence[str],
    calibrator: str,
    io: str | None,
    calibration: Any,
) -> list[Scheme]:
    """The schemes, once the options are known to go together."""
    require_known("format", formats, FORMATS)
    require_known("scheme", quantize, SCHEMES)
    require_known("calibrator", [calibrator], CALIBRATORS)
    require_known("input and output dtype", [io] if io else [], IO_DTYPES)
    schemes = [Scheme(name) for name in dict.fromkeys(quantize)]
    if not schemes or not formats:
        raise UsageError("nothing to write: give at least one format and one scheme")
    for scheme in schemes:
        if scheme.is_full_integer and calibration is None:
            raise missing_calibration(scheme)
    if io == "uint8" and Scheme.INT16X8 in schemes:
        raise UsageError("int16x8 files take int16 or float32, not uint8", "leave --io out")
    return schemes


def require_known(what: str, given: Sequence[str], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise UsageError(f"no {what} {name!r}", f"there are {', '.join(known)}")


def require_file_name(name: str) -> None:
    """Whether a name can begin the names of files."""
    if not name or name.startswith(".") or not name.isprintable() or set(name) & set("/\\"):
        raise UsageError(
            f"the name {name!r} cannot begin the name of a file",
            "take letters, digits, - and _, such as the model's name",
        )
