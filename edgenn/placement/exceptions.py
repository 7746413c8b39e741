"""Layers of another precision than their file's scheme, on targets that may not take it."""

import warnings
from collections.abc import Collection

from edgenn.errors import EdgennWarning, UnsupportedError
from edgenn.placement.placement import place
from edgenn.placement.program import Program
from edgenn.targets.profile import Profile
from edgenn.targets.rules import rules_of

MOST_NAMED = 3


def require_places(program: Program, profile: Profile, ops: Collection[str]) -> None:
    """Whether a target takes these ops of a file; warns where they leave its accelerator.

    Args:
        ops: Names of the tensors that the ops in question make.

    Raises:
        UnsupportedError: The target refuses one of them.
    """
    placement = place(program, rules_of(profile))
    for op in placement.elsewhere("refused"):
        if op.name in ops:
            raise UnsupportedError(
                f"{profile.name} refuses {op.kind} {op.name!r} in {op.dtype}: {op.reason}",
                "leave its layer out of --keep-float and --only",
            )
    slow = [op for op in placement.elsewhere("cpu") if op.name in ops and op.macs]
    if slow:
        named = ", ".join(f"{op.kind} {op.name!r} in {op.dtype}" for op in slow[:MOST_NAMED])
        more = f" and {len(slow) - MOST_NAMED} more" if len(slow) > MOST_NAMED else ""
        text = f"{profile.name} leaves {named}{more} to the CPU: {slow[0].reason}"
        warnings.warn(EdgennWarning(text), stacklevel=2)
