"""The order of a check: from what is nearest to Keras to what is farthest from it."""

from collections.abc import Iterable, Sequence

from edgenn.drift.report import Rung
from edgenn.manifest import Artifact
from edgenn.options import SCHEMES


def artifact_order(artifacts: Iterable[Artifact]) -> list[str]:
    """File names, the schemes from float to integers; within one as the manifest has them."""
    return [entry.file for entry in sorted(artifacts, key=lambda entry: rank(entry.scheme))]


def rank(scheme: str) -> int:
    """Where a scheme stands: floats first."""
    return SCHEMES.index(scheme) if scheme in SCHEMES else len(SCHEMES)


def rung_before(rungs: Sequence[Rung], scheme: str) -> Rung | None:
    """The rung that the next one of ``scheme`` is compared with: one difference at a time.

    That is the last of the same scheme; where the scheme begins, the first of float32, so that
    the step is what quantisation does, and not what another runtime does as well.

    Args:
        rungs: Those that have been climbed, in order.
    """
    climbed = [rung for rung in rungs if rung.metrics is not None]
    same = [rung for rung in climbed if rung.scheme == scheme]
    if same:
        return same[-1]
    return next((rung for rung in climbed if rung.scheme in ("", "float32")), None)
