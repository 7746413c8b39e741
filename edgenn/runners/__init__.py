"""Runs artifacts on targets, one file per engine, each run in a child process.

Each name is imported when it is first used: a child process imports this package, too, and needs
none of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgenn.runners.environments import Requirement
    from edgenn.runners.facts import Facts, Fallback, LayerCost
    from edgenn.runners.fake import FakeRunner
    from edgenn.runners.litert import LiteRTRunner
    from edgenn.runners.litert_reference import LiteRTReferenceRunner
    from edgenn.runners.onnxruntime import OnnxRuntimeRunner
    from edgenn.runners.registry import default_runner, runner_class, runner_names
    from edgenn.runners.runner import Runner, RunResult, Said

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

_HOMES = {
    "Facts": "facts",
    "FakeRunner": "fake",
    "Fallback": "facts",
    "LayerCost": "facts",
    "LiteRTReferenceRunner": "litert_reference",
    "LiteRTRunner": "litert",
    "OnnxRuntimeRunner": "onnxruntime",
    "Requirement": "environments",
    "RunResult": "runner",
    "Runner": "runner",
    "Said": "runner",
    "default_runner": "registry",
    "runner_class": "registry",
    "runner_names": "registry",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"edgenn.runners.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
