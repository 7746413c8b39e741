"""ONNX Runtime on the GPU: its WebGPU execution provider, a package of its own.

A session that may not fall back to the CPU comes first. Where it is refused, as for int8, whose
QuantizeLinear the provider lacks, the rest runs on the GPU all the same, and every node that does
not is told. A file of which nothing would run on the GPU is refused.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from edgenn.errors import EdgennError, EngineError, UnavailableError, UnsupportedError
from edgenn.runners.environments import Requirement
from edgenn.runners.facts import Fallback
from edgenn.runners.gpu import GpuRunner
from edgenn.runners.runner import Said
from edgenn.runners.words import Words
from edgenn.runtime.litert import one_line
from edgenn.runtime.onnxruntime import ERRORS_ONLY, OnnxRuntimeEngine, session_options

PACKAGE = "onnxruntime-ep-webgpu"
PROVIDER = "WebGpuExecutionProvider"
INFORMATION = 1
"""Severity at which the provider says why it leaves a node to others."""

CPU_ONLY_NODES = "fallback to CPU EP has been explicitly disabled"
NO_KERNEL = re.compile(
    r"(?P<reason>webgpu kernel not found in registries) for Op type: \S+ node name: (?P<node>.*)$",
    re.M,
)
KEPT_BACK = "ONNX Runtime computes it on the CPU, as it does with what only makes shapes"
"""Of nodes that the provider has a kernel for."""

FAILED_NODE = re.compile(
    r"running (?P<op>\w+) node\. Name:'(?P<node>[^']*)' Status Message: "
    r"(?:/\S+:\d+ .*\) )?(?P<reason>[^\x1b\n]*)"
)
"""Behind the place in ONNX Runtime's source, if it says that, stands what is wrong."""
FAILURE = re.compile(r"\[E:onnxruntime[^\]]*\] (.*?)(?:\x1b|$)", re.M)


class OnnxRuntimeWebGpuEngine(OnnxRuntimeEngine):
    """Runs an .onnx file on the GPU, as far as it goes; raises as the engine on the CPU does.

    Args:
        path: The file.
        options: ``threads`` for what stays on the CPU.
    """

    name = "onnxruntime-webgpu"

    def __init__(self, path: Path, options: Mapping[str, Any]) -> None:
        self._fallbacks: tuple[Fallback, ...] = ()
        super().__init__(path, options.get("threads", 1))

    @property
    def version(self) -> str:
        return f"{super().version}, {PACKAGE} {version(PACKAGE)}"

    @property
    def facts(self) -> Mapping[str, Any]:
        return {"fallbacks": [asdict(fallback) for fallback in self._fallbacks]}

    def open_session(self, onnxruntime: Any, threads: int) -> Any:
        provider = provider_of(onnxruntime)

        def session(*, alone: bool, severity: int = ERRORS_ONLY) -> Any:
            options = session_options(onnxruntime, threads, severity)
            options.add_provider_for_devices([provider], {})
            options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
            options.add_session_config_entry("session.disable_cpu_ep_fallback", str(int(alone)))
            try:
                return onnxruntime.InferenceSession(str(self._path), options)
            except Exception as error:  # ONNX Runtime's exceptions share no base class
                if type(error).__name__ != "Fail":
                    raise
                raise EngineError(
                    f"{self._path}: ONNX Runtime's WebGPU provider refuses it: {one_line(error)}"
                ) from error

        try:
            return session(alone=True)
        except EngineError as error:
            if CPU_ONLY_NODES not in error.message:
                raise
        words = Words()
        with suppress(EngineError):
            session(alone=True, severity=INFORMATION)
        mixed = session(alone=False)
        self._fallbacks = tuple(left_to_the_cpu(mixed, words.text()))
        self._require_some_on_gpu(mixed)
        return mixed

    def _require_some_on_gpu(self, session: Any) -> None:
        graphs = session.get_provider_graph_assignment_info()
        if not any(graph.ep_name == PROVIDER for graph in graphs):
            ops = ", ".join(sorted({fallback.op for fallback in self._fallbacks}))
            raise UnsupportedError(
                f"{self._path}: none of it runs on the GPU: ONNX Runtime's WebGPU provider leaves"
                f" {ops} to the CPU"
            )


def provider_of(onnxruntime: Any) -> Any:
    """The provider's device.

    Raises:
        UnavailableError: The package is missing, or sees no GPU.
    """
    try:
        import onnxruntime_ep_webgpu
    except ModuleNotFoundError as error:
        raise UnavailableError(f"{PACKAGE} is not installed", f"pip install {PACKAGE}") from error

    def found() -> list[Any]:
        devices = onnxruntime.get_ep_devices()
        return [device for device in devices if device.ep_name == PROVIDER]

    if not found():  # a process registers it once
        library = onnxruntime_ep_webgpu.get_library_path()
        try:
            onnxruntime.register_execution_provider_library("webgpu", library)
        except Exception as error:  # ONNX Runtime's exceptions share no base class
            raise UnavailableError(
                f"ONNX Runtime does not take {PACKAGE}: {one_line(error)}",
                "pip install --upgrade onnxruntime",
            ) from error
    devices = found()
    if not devices:
        raise UnavailableError(
            "ONNX Runtime's WebGPU provider sees no GPU, though Vulkan does",
            "look for the GPU's node in /dev/dri: it needs one",
        )
    return devices[0]


def left_to_the_cpu(session: Any, said: str) -> list[Fallback]:
    """The nodes that are not the provider's, and why."""
    reasons = {match["node"].strip(): match["reason"] for match in NO_KERNEL.finditer(said)}
    return [
        Fallback(node.op_type, node.name, reasons.get(node.name, KEPT_BACK))
        for graph in session.get_provider_graph_assignment_info()
        if graph.ep_name != PROVIDER
        for node in graph.get_nodes()
    ]


class OnnxRuntimeWebGpuRunner(GpuRunner):
    name = "onnxruntime-webgpu"
    suffix = ".onnx"
    engine = "edgenn.runners.onnxruntime_webgpu:OnnxRuntimeWebGpuEngine"
    option_names = ("threads",)
    requirement = Requirement(
        ("onnxruntime", "onnxruntime_ep_webgpu"), ("onnxruntime>=1.24.4", f"{PACKAGE}>=0.4")
    )

    def environment(self) -> Mapping[str, str]:
        variables = dict(super().environment())
        if all(device.is_software for device in self.devices):
            variables["ORT_WEBGPU_EP_ALLOW_SOFTWARE_ADAPTER"] = "1"
        return variables

    def read_stderr(self, text: str) -> Said:
        # the provider does not name its adapter: it is one of those that it gets to see
        facts = {
            "adapter": " or ".join(device.name for device in self.devices),
            "software": all(device.is_software for device in self.devices),
        }
        failures = (line for line in FAILURE.findall(text) if CPU_ONLY_NODES not in line)
        return Said(tuple(dict.fromkeys(failures)), facts=facts)

    def explain(self, error: EdgennError, text: str) -> EdgennError:
        failed = FAILED_NODE.search(text)
        if type(error) is not EngineError or failed is None:
            return super().explain(error, text)
        kind = UnsupportedError if failed["reason"].startswith("Unsupported") else EngineError
        where = error.message.partition(": ONNX Runtime")[0]
        return kind(
            f"{where}: ONNX Runtime's WebGPU provider fails at {failed['op']} {failed['node']!r}:"
            f" {failed['reason'].strip()}"
        )
