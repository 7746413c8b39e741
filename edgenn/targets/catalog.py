"""Finds targets: those that come with edgenn by name, anybody's own by path."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from edgenn.errors import UsageError
from edgenn.nearest import nearest
from edgenn.targets.profile import Profile
from edgenn.targets.reading import read_profile

PROFILES: Final = Path(__file__).parent / "profiles"

ORDER: Final = ("cpu", "gpu", "microcontroller", "npu", "fpga")
"""Of kinds of devices, in tables."""


def target_names() -> list[str]:
    """The targets that come with edgenn, from processors to programmable logic."""
    return [profile.name for profile in shipped()]


def shipped() -> list[Profile]:
    """Their profiles, in the same order."""
    found = [read_profile(path) for path in sorted(PROFILES.glob("*.toml"))]
    return sorted(found, key=lambda profile: (profile.optional, ORDER.index(profile.kind)))


def shipped_names() -> list[str]:
    """Their names alone, in no order that means anything; nothing is read."""
    return sorted(path.stem for path in PROFILES.glob("*.toml"))


def find_target(name: str | Path) -> Profile:
    """A target by name, or by the path of its profile (``….toml``).

    Raises:
        UsageError: There is none, or its profile has a mistake.
    """
    if str(name).endswith(".toml"):
        return read_profile(Path(name))
    path = PROFILES / f"{name}.toml"
    known = shipped_names()
    if str(name) not in known:
        raise UsageError(
            f"no target {str(name)!r}",
            f"{nearest(str(name), known)}; edgenn targets lists all; your own is a .toml file",
        )
    return read_profile(path)


def profile_of(target: str | Path | Profile) -> Profile:
    """A target by name, by path, or as it is; errors as of ``find_target``."""
    return target if isinstance(target, Profile) else find_target(target)


def profiles_of(targets: Sequence[str | Path | Profile]) -> list[Profile]:
    """Several of them, each once, however often it is named.

    Raises:
        UsageError: As of ``find_target``, or two of the same name: reports and manifests know a
            target by its name.
    """
    found: dict[str, Profile] = {}
    for profile in map(profile_of, targets):
        if found.setdefault(profile.name, profile) != profile:
            raise UsageError(
                f"two targets have the name {profile.name!r}", "rename the .toml file of one"
            )
    return list(found.values())
