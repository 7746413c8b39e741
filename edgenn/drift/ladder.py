"""The order of a check: from what is nearest to Keras to what is farthest from it."""

from collections.abc import Iterable, Sequence
from typing import Final

from edgenn.drift.report import Rung
from edgenn.manifest import Artifact
from edgenn.options import SCHEMES
from edgenn.targets.profile import Profile


def artifact_order(artifacts: Iterable[Artifact]) -> list[str]:
    """File names, the schemes from float to integers; within one as the manifest has them."""
    return [entry.file for entry in sorted(artifacts, key=lambda entry: rank(entry.scheme))]


FIRST: Final = (
    "graph",
    "cpu-reference",
    "cpu-xnnpack",
    "cpu-onnxruntime",
    "gpu-fp32",
    "gpu-fp16",
    "gpu-onnxruntime",
)
"""Targets from the least to the most that can differ; accelerators come behind them."""


def target_order(profiles: Iterable[Profile]) -> list[Profile]:
    """The targets in the ladder's order; those that it does not name stay as they are given."""
    names = {name: place for place, name in enumerate(FIRST)}
    return sorted(profiles, key=lambda profile: names.get(profile.name, len(FIRST)))


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
