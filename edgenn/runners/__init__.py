"""Runs artifacts on targets, one file per engine, each run in a child process."""

from edgenn.runners.fake import FakeRunner
from edgenn.runners.litert import LiteRTRunner
from edgenn.runners.litert_reference import LiteRTReferenceRunner
from edgenn.runners.onnxruntime import OnnxRuntimeRunner
from edgenn.runners.runner import Runner, RunResult

LADDER: tuple[type[Runner], ...] = (LiteRTReferenceRunner, LiteRTRunner, OnnxRuntimeRunner)
"""The rungs that ``edgenn check`` climbs, in order."""

__all__ = [
    "LADDER",
    "FakeRunner",
    "LiteRTReferenceRunner",
    "LiteRTRunner",
    "OnnxRuntimeRunner",
    "RunResult",
    "Runner",
]
