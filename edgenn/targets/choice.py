"""Which files run on a target."""

from collections.abc import Sequence

from edgenn.manifest import Artifact
from edgenn.targets.catalog import find_target
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


def default_profiles(names: Sequence[str], artifacts: Sequence[Artifact]) -> list[Profile]:
    """Of some targets those that take any of the files; all where none does."""
    profiles = [find_target(name) for name in names]
    return [profile for profile in profiles if files_for(profile, artifacts)] or profiles
