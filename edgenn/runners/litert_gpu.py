"""LiteRT on the GPU alone: ML Drift on WebGPU, through ``CompiledModel``.

A file that compiles here runs on the GPU from end to end: the CPU is not among the accelerators,
so that nothing can be left to it unsaid. Which adapter it was and which ops were refused, LiteRT
says on stderr only.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from edgenn.errors import EdgennError, EngineError, UnsupportedError, UsageError
from edgenn.runners.environments import Requirement
from edgenn.runners.gpu import GpuRunner
from edgenn.runners.runner import Said
from edgenn.runners.shapes import require_fixed_shapes
from edgenn.runtime.litert import one_line
from edgenn.runtime.tensor_info import Array, TensorInfo
from edgenn.runtime.tflite_file import SERVING_SIGNATURE, read_tflite

PRECISIONS = ("f32", "f16")
REFUSES = ": LiteRT's GPU delegate refuses it"
"""What stands between a file and the reason."""

ADAPTER = re.compile(r"Selected adapter: (?P<name>.*?), arch=.*adapterType=(?P<type>.*)$", re.M)
REFUSED = re.compile(
    r"^(?:ERROR: )?Following operations are not supported by GPU delegate:\n"
    r"(?P<ops>.*?)\n(?:\d+|No) operations will run on the GPU",
    re.M | re.S,
)
SHADER_ERROR = re.compile(r"Validation error: .*")
HINTS = {
    "WHILE": "recurrent layers have to be unrolled: --rnn unrolled",
    "INT16": "the GPU has no 16-bit integers: --rnn-precision float32, and no int16x8",
}
"""What to do where this stands among the reasons."""


class LiteRTGpuEngine:
    """Runs a .tflite with fixed shapes.

    Args:
        path: The file.
        options: ``precision``: ``f32``, or ``f16``, which LiteRT takes as leave, not as an order.

    Raises:
        ArtifactError: The file is damaged or no .tflite.
        EngineError: LiteRT refuses the file, or fails.
        UnsupportedError: Open shapes, or states that kernels keep.
        UsageError: Another precision.
    """

    name = "litert-gpu"

    def __init__(self, path: Path, options: Mapping[str, Any]) -> None:
        precision = options.get("precision", "f32")
        if precision not in PRECISIONS:
            raise UsageError(f"no GPU precision {precision!r}", f"one of {', '.join(PRECISIONS)}")
        content = read_tflite(path)
        self.inputs = tuple(port.info for port in content.inputs)
        self.outputs = tuple(port.info for port in content.outputs)
        self.step = content.step
        self._path = path
        require_fixed_shapes(path, "the GPU needs fixed shapes", (*self.inputs, *self.outputs))
        if content.variables:
            raise UnsupportedError(
                f"{path}: LiteRT's GPU runtime cannot load ops that keep a state, such as the fused"
                " UNIDIRECTIONAL_SEQUENCE_LSTM",
                "--rnn unrolled, or --rnn step",
            )
        self._compile(precision)

    def _compile(self, precision: str) -> None:
        from ai_edge_litert.compiled_model import (
            CompiledModel,
            GpuOptions,
            HardwareAccelerator,
            Options,
        )

        options = Options(
            hardware_accelerators=HardwareAccelerator.GPU,
            gpu_options=GpuOptions(enforce_f32=precision == "f32"),
        )
        try:
            self._model = model = CompiledModel.from_file(str(self._path), options=options)
            signatures = model.get_signature_list()
            key = SERVING_SIGNATURE if SERVING_SIGNATURE in signatures else next(iter(signatures))
            names = signatures[key]
            ins = {name: model.create_input_buffer_by_name(key, name) for name in names["inputs"]}
            outs = {
                name: model.create_output_buffer_by_name(key, name) for name in names["outputs"]
            }
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"{self._path}{REFUSES}: {one_line(error)}") from error
        self._run = partial(
            model.run_by_index,
            model.get_signature_index(key),
            list(ins.values()),
            list(outs.values()),
        )
        self._write = [ins[info.name].write for info in self.inputs]
        self._read = [reader(outs[info.name], info) for info in self.outputs]

    @property
    def version(self) -> str:
        return f"ai-edge-litert {version('ai-edge-litert')}"

    def reshape(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Nothing to do: the shapes are fixed."""

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        try:
            for write, array in zip(self._write, arrays, strict=True):
                write(np.ascontiguousarray(array))
            self._run()
            return [read() for read in self._read]
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"{self._path}: LiteRT on the GPU: {one_line(error)}") from error


def reader(buffer: Any, info: TensorInfo) -> Callable[[], Array]:
    """What takes an output off the GPU."""
    shape = [size for size in info.shape if size is not None]
    count, dtype = math.prod(shape), np.dtype(info.dtype)
    return lambda: np.array(buffer.read(count, dtype)).reshape(shape)


class LiteRTGpuRunner(GpuRunner):
    name = "litert-gpu"
    suffix = ".tflite"
    engine = "edgenn.runners.litert_gpu:LiteRTGpuEngine"
    option_names = ("precision",)
    requirement = Requirement(("ai_edge_litert.compiled_model",), ("ai-edge-litert>=2.1",))

    def read_stderr(self, text: str) -> Said:
        chosen = list(ADAPTER.finditer(text))
        if not chosen:
            return Said()
        adapter, kind = chosen[-1].group("name", "type")
        facts = {"adapter": adapter, "software": kind.startswith("CPU")}
        warnings: tuple[str, ...] = ()
        if self.wants_float16 and not self._computes_float16(adapter):
            warnings = (f"{adapter} has no float16 arithmetic: it ran in float32",)
        return Said(warnings, tuple(dict.fromkeys(SHADER_ERROR.findall(text))), facts)

    def _computes_float16(self, adapter: str) -> bool:
        return any(device.float16 for device in self.devices if device.name == adapter)

    def explain(self, error: EdgennError, text: str) -> EdgennError:
        refused = refused_ops(text)
        where, separator, _ = error.message.partition(REFUSES)
        if not refused or not separator:
            return super().explain(error, text)
        reasons = "; ".join(refused)
        hints = [hint for word, hint in HINTS.items() if word in reasons]
        return UnsupportedError(f"{where}{REFUSES}: {reasons}", "; ".join(hints))


def refused_ops(text: str) -> list[str]:
    """``OP: reason`` for each op and reason on the engine's stderr.

    Reasons that name tensors are said once for each op, with the first tensor. Ops that were
    refused along with others, such as the DEQUANTIZE of their weights, come without a reason and
    are left out.
    """
    reasons: dict[tuple[str, str], str] = {}
    for block in REFUSED.finditer(text):
        for line in block["ops"].splitlines():
            op, _, reason = (part.strip() for part in line.partition(":"))
            if reason:
                reasons.setdefault((op, reason.partition(". ")[0]), f"{op}: {reason}")
    return list(reasons.values())
