"""Runners by name: those of edgenn, and those that installed packages add.

A package adds one with the entry point group ``edgenn.runners``::

    [project.entry-points."edgenn.runners"]
    my-board = "my_package.my_board:MyBoardRunner"
"""

import importlib
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path

from edgenn.errors import ArtifactError, UnavailableError, UsageError
from edgenn.nearest import nearest
from edgenn.runners.runner import Runner

GROUP = "edgenn.runners"

BUILT_IN: Mapping[str, str] = {
    "litert-reference": "edgenn.runners.litert_reference:LiteRTReferenceRunner",
    "litert": "edgenn.runners.litert:LiteRTRunner",
    "numpy": "edgenn.runners.numpy_graph:NumpyGraphRunner",
    "onnxruntime": "edgenn.runners.onnxruntime:OnnxRuntimeRunner",
    "litert-gpu": "edgenn.runners.litert_gpu:LiteRTGpuRunner",
    "onnxruntime-webgpu": "edgenn.runners.onnxruntime_webgpu:OnnxRuntimeWebGpuRunner",
    "tflite-micro": "edgenn.runners.tflite_micro:TfliteMicroRunner",
    "tosa-reference": "edgenn.runners.tosa_reference:TosaReferenceRunner",
    "vela": "edgenn.runners.vela:VelaRunner",
    "qnn-htp": "edgenn.runners.onnxruntime_qnn:OnnxRuntimeQnnRunner",
    "hls4ml": "edgenn.runners.hls4ml:Hls4mlRunner",
}
"""Name → where the class is; imported when it is asked for."""

DEFAULTS: Mapping[str, str] = {".tflite": "litert", ".onnx": "onnxruntime", ".hls4ml": "hls4ml"}
"""Suffix → the engine that runs such a file as it would run on a device."""


def default_runner(artifact: Path) -> Runner:
    """The engine that runs a file as it would run on a device.

    Raises:
        ArtifactError: Nothing here runs files of this suffix.
    """
    if artifact.suffix not in DEFAULTS:
        raise ArtifactError(
            f"{artifact} is no artifact: its suffix is none of {', '.join(DEFAULTS)}"
        )
    return runner_class(DEFAULTS[artifact.suffix])()


def runner_names() -> list[str]:
    """All that there are, edgenn's own first."""
    return list(dict.fromkeys([*BUILT_IN, *entry_points(group=GROUP).names]))


def runner_class(name: str) -> type[Runner]:
    """The runner of a name.

    Raises:
        UsageError: There is none.
        UnavailableError: The package that adds it cannot be imported.
    """
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        found = getattr(importlib.import_module(module), attribute)
    else:
        added = {entry.name: entry for entry in entry_points(group=GROUP)}
        if name not in added:
            raise UsageError(f"no runner {name!r}", nearest(name, runner_names()))
        try:
            found = added[name].load()
        except Exception as error:
            raise UnavailableError(
                f"the runner {name!r} of {added[name].value} cannot be imported: {error}"
            ) from error
    if not (isinstance(found, type) and issubclass(found, Runner)):
        raise UsageError(f"the runner {name!r} is {found!r}, no class of edgenn.runners.Runner")
    return found
