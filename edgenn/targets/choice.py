"""Which files run on a target."""

from collections.abc import Sequence
from pathlib import Path

from edgenn.manifest import Artifact
from edgenn.targets.catalog import find_target, profiles_of, shipped
from edgenn.targets.fit import misfit, reasons_text
from edgenn.targets.profile import Profile


def files_for(profile: Profile, artifacts: Sequence[Artifact]) -> tuple[Artifact, ...]:
    """Those that were written for it, else all that it takes."""
    if own := tuple(artifact for artifact in artifacts if profile.name in artifact.targets):
        return own
    return tuple(artifact for artifact in artifacts if misfit(profile, artifact) is None)


def why_none(profile: Profile, artifacts: Sequence[Artifact]) -> str:
    """What a target has against each of the files, none of which it takes."""
    return reasons_text({artifact.file: misfit(profile, artifact) for artifact in artifacts})


def chosen_profiles(
    targets: Sequence[str | Path | Profile],
    default: Sequence[str],
    artifacts: Sequence[Artifact],
    *,
    every: bool,
) -> list[Profile]:
    """The targets asked for; all of edgenn's, or the default ones, where none is.

    Raises:
        UsageError: One that is not there.
    """
    if every:
        return shipped()
    return profiles_of(targets) or default_profiles(default, artifacts)


def default_profiles(names: Sequence[str], artifacts: Sequence[Artifact]) -> list[Profile]:
    """Of some targets those that take any of the files; all where none does."""
    profiles = [find_target(name) for name in names]
    return [profile for profile in profiles if files_for(profile, artifacts)] or profiles
