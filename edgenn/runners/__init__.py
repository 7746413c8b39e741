"""Runs artifacts on targets, one file per engine, each run in a child process."""

from pathlib import Path

from edgenn.errors import ArtifactError
from edgenn.runners.environments import Requirement
from edgenn.runners.facts import Facts, Fallback, LayerCost
from edgenn.runners.fake import FakeRunner
from edgenn.runners.litert import LiteRTRunner
from edgenn.runners.litert_reference import LiteRTReferenceRunner
from edgenn.runners.onnxruntime import OnnxRuntimeRunner
from edgenn.runners.registry import runner_class, runner_names
from edgenn.runners.runner import Runner, RunResult, Said

DEFAULT_RUNNERS = {".tflite": "litert", ".onnx": "onnxruntime", ".hls4ml": "hls4ml"}
"""Suffix → the engine that runs such a file as it would run on a device."""


def default_runner(artifact: Path) -> Runner:
    """The engine that runs a file as it would run on a device.

    Raises:
        ArtifactError: Nothing here runs files of this suffix.
    """
    if artifact.suffix not in DEFAULT_RUNNERS:
        raise ArtifactError(
            f"{artifact} is no artifact: its suffix is none of {', '.join(DEFAULT_RUNNERS)}"
        )
    return runner_class(DEFAULT_RUNNERS[artifact.suffix])()


__all__ = [
    "Facts",
    "FakeRunner",
    "Fallback",
    "LayerCost",
    "LiteRTReferenceRunner",
    "LiteRTRunner",
    "OnnxRuntimeRunner",
    "Requirement",
    "RunResult",
    "Runner",
    "Said",
    "default_runner",
    "runner_class",
    "runner_names",
]
