"""Qualcomm's Hexagon Tensor Processor (HTP), emulated on x86-64 by ONNX Runtime's QNN plugin."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edgenn.errors import (
    ArtifactError,
    EdgennError,
    EngineError,
    UnavailableError,
    UnsupportedError,
)
from edgenn.runners.environments import Requirement
from edgenn.runners.runner import Runner
from edgenn.runners.words import Words
from edgenn.runtime.litert import one_line
from edgenn.runtime.onnxruntime import ports_of, tensor_info
from edgenn.runtime.tensor_info import Array, shape_text

NOT_A_MODEL = ("InvalidProtobuf", "InvalidGraph", "NoSuchFile")
"""ONNX Runtime's exceptions that say the file is wrong, not the engine."""

VERBOSE, ERRORS_ONLY = 0, 3

REFUSED = re.compile(r"Operator type: (\S+) Node name: (\S*) .*\n\s*REASON : (.*)")
COPY = re.compile(r"/duplicated_token_\d+$")
"""What ONNX Runtime adds to the names of nodes that it makes for each reader."""


class OnnxRuntimeQnnRunner(Runner):
    """Runs an .onnx on the emulated HTP, all of it or nothing."""

    name = "qnn-htp"
    suffix = ".onnx"
    engine = "edgenn.runners.onnxruntime_qnn:OnnxRuntimeQnnEngine"
    requirement = Requirement(
        modules=("onnxruntime", "onnxruntime_qnn"), packages=("onnxruntime-qnn>=2.7",)
    )


class OnnxRuntimeQnnEngine:
    """One file, every op of it on the HTP.

    Args:
        options: Handed to the QNN plugin as they are, such as ``htp_arch``.

    Raises:
        ArtifactError: The file is damaged or no ONNX model.
        EngineError: The HTP's libraries fail on it.
        UnavailableError: ONNX Runtime or the plugin is not installed.
        UnsupportedError: Ops that the HTP does not run, or a batch that is open.
    """

    name = "qnn-htp"

    def __init__(self, path: Path, options: Mapping[str, Any]) -> None:
        self._path = path
        self._options = options
        self._runtime, self._plugin = load()
        try:
            session = self._session(fallback=False)
        except Exception as error:  # ONNX Runtime's exceptions share no base class
            raise self._refusal(error) from error
        self._run = session.run
        self.inputs, self.outputs, self.step = ports_of(session, path)
        self._names = [info.name for info in self.inputs]
        self._output_names = [info.name for info in self.outputs]

    def _session(self, *, fallback: bool) -> Any:
        """The file on the HTP; ops that it does not run on the CPU, and why, if that is allowed."""
        options = self._runtime.SessionOptions()
        options.log_severity_level = VERBOSE if fallback else ERRORS_ONLY
        if not fallback:
            options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        backend = {
            "backend_path": self._plugin.get_qnn_htp_path(),
            "offload_graph_io_quantization": "0",  # inputs and outputs are quantised there, too
        }
        given = {name: str(value) for name, value in self._options.items()}
        options.add_provider_for_devices(self._devices()[:1], {**backend, **given})
        return self._runtime.InferenceSession(str(self._path), options)

    def _devices(self) -> list[Any]:
        name = self._plugin.get_ep_name()

        def known() -> list[Any]:
            return [device for device in self._runtime.get_ep_devices() if device.ep_name == name]

        if not known():
            library = self._plugin.get_library_path()
            self._runtime.register_execution_provider_library(name, library)
        return known()

    def _refusal(self, error: Exception) -> EdgennError:
        """Why the whole file does not run there."""
        if type(error).__name__ in NOT_A_MODEL or self._path.stat().st_size == 0:
            return ArtifactError(
                f"{self._path} is damaged or not an ONNX file: {one_line(error)}",
                "convert or copy it again",
            )
        words = Words()
        try:
            inputs = [tensor_info(node, self._path) for node in self._helped().get_inputs()]
        except Exception:  # it fails with the CPU's help, too: the first error says why
            inputs = []
        for info in inputs:
            if None in info.shape:
                return UnsupportedError(
                    f"{self._path}: {info.name!r} is {shape_text(info.shape)}: the HTP takes fixed"
                    " shapes only",
                    "convert it with --batch 1, and from a model whose other sizes are fixed",
                )
        reasons = refused(words.text())
        if not reasons:
            return EngineError(f"{self._path}: QNN: {one_line(error)}")
        return UnsupportedError(f"{self._path}: the HTP does not run {'; '.join(reasons)}")

    def _helped(self) -> Any:
        return self._session(fallback=True)

    @property
    def version(self) -> str:
        return f"onnxruntime-qnn {self._plugin.__version__}"

    @property
    def facts(self) -> Mapping[str, Any]:
        return {"adapter": "Hexagon HTP, emulated on this CPU", "software": True}

    def reshape(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Nothing to do: the shapes are the file's."""

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        try:
            outputs: list[Array] = self._run(
                self._output_names, dict(zip(self._names, arrays, strict=True))
            )
        except Exception as error:  # ONNX Runtime's exceptions share no base class
            raise EngineError(f"{self._path}: QNN: {one_line(error)}") from error
        return outputs


def refused(log: str) -> list[str]:
    """What the plugin says of ops that it leaves to others: kind, nodes and reason.

    The log tells of each node more than once.
    """
    found: dict[tuple[str, str], dict[str, None]] = {}
    for op, node, reason in REFUSED.findall(log):
        found.setdefault((op, reason.strip().rstrip(".")), {})[COPY.sub("", node)] = None
    told = []
    for (op, reason), nodes in found.items():
        first, *others = nodes
        rest = f" and {len(others)} more" if others else ""
        told.append(f"{op} {first}{rest}: {reason}")
    return told


def load() -> tuple[Any, Any]:
    """ONNX Runtime and its plugin."""
    try:
        import onnxruntime
        import onnxruntime_qnn
    except ModuleNotFoundError as error:
        raise UnavailableError(
            f"the QNN plugin of ONNX Runtime is not installed: {error}",
            "edgenn targets install qualcomm-htp",
        ) from error
    return onnxruntime, onnxruntime_qnn
