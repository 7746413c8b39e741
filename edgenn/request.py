"""What a conversion was asked for, once it is known to go together."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgenn.errors import UsageError
from edgenn.options import (
    CALIBRATORS,
    DEFAULT_FORMATS,
    DEFAULT_SCHEMES,
    FORMATS,
    IO_DTYPES,
    SCHEMES,
)
from edgenn.plan import go_together
from edgenn.quantization.schemes import Scheme, missing_calibration
from edgenn.targets import Profile, profiles_of


@dataclass(frozen=True)
class Request:
    """Which files are wanted.

    Attributes:
        schemes: Empty where the targets choose.
        formats: Empty where the targets say them.
        profiles: Of targets; where there are none, each format is written in each scheme.
    """

    schemes: list[Scheme]
    formats: list[str]
    profiles: list[Profile]


def request_of(
    formats: Sequence[str] | None,
    quantize: Sequence[str] | None,
    calibrator: str,
    io: str | None,
    calibration: Any,
    targets: Sequence[str | Path | Profile],
    keep_float: Sequence[str] = (),
    only: Sequence[str] = (),
) -> Request:
    """What is wanted, once the options are known to go together.

    Raises:
        UsageError: They do not.
    """
    if targets and formats:
        raise UsageError(
            "a format and a target were given, and a target has its own format",
            "leave --format out",
        )
    profiles = profiles_of(targets)
    if not targets:
        formats = DEFAULT_FORMATS if formats is None else formats
        quantize = DEFAULT_SCHEMES if quantize is None else quantize
        if not quantize or not formats:
            raise UsageError("nothing to write: give at least one format and one scheme")
    require_known("format", formats or (), FORMATS)
    require_known("scheme", quantize or (), SCHEMES)
    require_known("calibrator", [calibrator], CALIBRATORS)
    require_known("input and output dtype", [io] if io else [], IO_DTYPES)
    schemes = [Scheme(name) for name in dict.fromkeys(quantize or ())]
    if not targets:
        for format_ in formats or ():
            require_scheme(format_, schemes)
    own = [Scheme(profile.artifact.schemes[0]) for profile in profiles]
    for scheme in schemes or own:
        if scheme.is_full_integer and calibration is None:
            raise missing_calibration(scheme)
    require_precisions(schemes or own, keep_float, only)
    if io == "uint8" and Scheme.INT16X8 in schemes and not only:
        raise UsageError("int16x8 files take int16 or float32, not uint8", "leave --io out")
    return Request(schemes, list(dict.fromkeys(formats or ())), profiles)


def require_precisions(
    schemes: Sequence[Scheme], keep_float: Sequence[str], only: Sequence[str]
) -> None:
    """Whether layers of another precision have a scheme to be an exception of."""
    if keep_float and not any(scheme.is_quantized for scheme in schemes):
        raise UsageError(
            "layers to keep in float32 (--keep-float), and no scheme that leaves it",
            "add --quantize int8, for one",
        )
    if only and Scheme.INT16X8 not in schemes:
        raise UsageError(
            "layers that alone compute in 16 bits (--only), and no scheme with 16 bits",
            "add --quantize int16x8; all other layers are in int8 then",
        )


def require_scheme(format_: str, schemes: Sequence[Scheme]) -> None:
    """Whether a format can hold any of the schemes."""
    if not any(go_together(scheme, format_) for scheme in schemes):
        needed = Scheme.FIXED16 if format_ == "hls4ml" else "float32, for one"
        raise UsageError(
            f"{format_} files hold none of {', '.join(schemes)}", f"add --quantize {needed}"
        )


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
