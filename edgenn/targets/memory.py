"""Whether what a file needs fits into a target's memory."""

from edgenn.targets.profile import Profile


def too_large(profile: Profile, file_bytes: int, working_bytes: int | None) -> list[str]:
    """What does not fit, one line each.

    Args:
        file_bytes: Of the file, which flash holds.
        working_bytes: The arena, or the peak of activations; ``None`` where nobody knows it.
    """
    memory = profile.memory
    found = []
    if memory.flash_bytes is not None and file_bytes > memory.flash_bytes:
        found.append(
            f"the file has {file_bytes:,} bytes, {profile.name}'s flash {memory.flash_bytes:,}"
        )
    if memory.sram_bytes is not None and (working_bytes or 0) > memory.sram_bytes:
        found.append(
            f"it needs {working_bytes:,} bytes of working memory, {profile.name} has"
            f" {memory.sram_bytes:,}"
        )
    return found
