"""Whether a file is what a target takes."""

from collections.abc import Mapping

from edgenn.manifest import Artifact
from edgenn.targets.catalog import shipped_names
from edgenn.targets.profile import Profile

ANY_GATES = "auto"
FULL_INTEGER = ("int8", "int16x8")
"""The schemes whose files may have gates of several precisions."""

STEP = "step"
"""One step has no loop to be refused: every target takes it."""


def misfit(profile: Profile, artifact: Artifact) -> str | None:
    """Why a file is not what a target takes; ``None`` where it is.

    Args:
        artifact: As the manifest describes it; an empty scheme is not known.
    """
    rules = profile.artifact
    if artifact.format != rules.format:
        return f"it is no .{rules.format} file"
    if artifact.scheme and artifact.scheme not in rules.schemes:
        return f"it is {artifact.scheme}, not {' or '.join(rules.schemes)}"
    batches = {info.shape[0] for info in artifact.inputs if info.shape}
    if rules.batch is not None and batches - {rules.batch}:
        batch = next(iter(batches - {rules.batch}))
        said = "open" if batch is None else str(batch)
        return f"its batch is {said}, not {rules.batch}"
    form = artifact.recurrent.form if artifact.recurrent else STEP
    if rules.recurrent and form not in (*rules.recurrent, STEP):
        return f"its recurrent layers are {form}, not {' or '.join(rules.recurrent)}"
    gates = artifact.recurrent.gates if artifact.recurrent else rules.gates
    if artifact.scheme in FULL_INTEGER and rules.gates not in (ANY_GATES, gates):
        return f"its gates are {gates}, not {rules.gates}"
    return None


def written_for(name: str) -> str:
    """What to do about files that do not fit a target."""
    target = name if name in shipped_names() else f"{name}.toml"
    return f"edgenn convert MODEL -o DIR --target {target} writes what it takes"


def reasons_text(reasons: Mapping[str, str | None]) -> str:
    """File → reason in a few words: files with the same one are named together."""
    files: dict[str, list[str]] = {}
    for file, reason in reasons.items():
        files.setdefault(reason or "", []).append(file)
    if len(files) == 1 and len(reasons) > 1:
        return f"of each of them, {next(iter(files))}"
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in files.items())
