"""Runs artifacts on targets, one file per engine, each run in a child process."""

from pathlib import Path

from edgenn.errors import ArtifactError
from edgenn.runners.fake import FakeRunner
from edgenn.runners.litert import LiteRTRunner
from edgenn.runners.litert_reference import LiteRTReferenceRunner
from edgenn.runners.onnxruntime import OnnxRuntimeRunner
from edgenn.runners.runner import Runner, RunResult

LADDER: tuple[type[Runner], ...] = (LiteRTReferenceRunner, LiteRTRunner, OnnxRuntimeRunner)
"""The rungs that ``edgenn check`` climbs, in order."""


def default_runner(artifact: Path) -> Runner:
    """The engine that runs a file as it would run on a device.

    Raises:
        ArtifactError: Nothing here runs files of this suffix.
    """
    engines = {engine.suffix: engine for engine in (LiteRTRunner, OnnxRuntimeRunner)}
    if artifact.suffix not in engines:
        raise ArtifactError(
            f"{artifact} is no artifact: its suffix is none of {', '.join(engines)}"
        )
    return engines[artifact.suffix]()


__all__ = [
    "LADDER",
    "FakeRunner",
    "LiteRTReferenceRunner",
    "LiteRTRunner",
    "OnnxRuntimeRunner",
    "RunResult",
    "Runner",
    "default_runner",
]
