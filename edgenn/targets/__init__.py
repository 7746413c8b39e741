"""Targets: what runs artifacts, said in profiles that are pure data."""

from edgenn.targets.catalog import find_target, profile_of, profiles_of, target_names
from edgenn.targets.profile import Profile

__all__ = ["Profile", "find_target", "profile_of", "profiles_of", "target_names"]
