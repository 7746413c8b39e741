"""hls4ml: a network as C++ for an FPGA, and the bit-accurate simulation of it on this machine.

hls4ml writes the C++ that AMD's Vitis HLS would take; g++ compiles it with the open headers of its
fixed-point types. The numbers are those of the FPGA, bit for bit. What a network costs there in
cycles, DSPs and memory is only known to the synthesis tool, which is neither open nor here.
"""

import io
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from importlib.metadata import version
from pathlib import Path
from sys import stderr
from typing import Any, ClassVar, Final

import numpy as np

from edgenn.errors import EdgennError, EngineError
from edgenn.runners.environments import Requirement
from edgenn.runners.hls4ml_layout import PARALLEL, chosen, obstacle, unrolled_lines
from edgenn.runners.runner import Runner, Said
from edgenn.runtime.hls4ml_file import SUFFIX, Hls4mlFile, read_hls4ml
from edgenn.runtime.step_info import StepInfo
from edgenn.runtime.tensor_info import Array, TensorInfo

STACK_BYTES: Final = 1 << 29
"""The C++ keeps whole layers on the stack; the memory is only taken where it is used."""

LONG_COMPILATION_S: Final = 30.0

COMPILED: Final = "edgenn: compiled in "
"""How the engine's line on stderr begins that says how long the compilation took."""

LONG: Final = "edgenn: this takes long: "
"""The same of a line that says, beforehand, why g++ will work for minutes or hours."""

MANY_LINES: Final = 50_000
"""About a minute of g++."""


class Hls4mlRunner(Runner):
    """Numbers only: without a synthesis tool hls4ml knows no cost."""

    name = "hls4ml"
    suffix = SUFFIX
    engine = "edgenn.runners.hls4ml:Hls4mlEngine"
    option_names = ("io_type",)
    requirement = Requirement(
        modules=("hls4ml",), packages=("hls4ml==1.3.0",), commands=("g++", "bash")
    )

    def read_stderr(self, text: str) -> Said:
        """What hls4ml prints is progress; a long compilation is worth a word."""
        times = [
            float(line.removeprefix(COMPILED).split()[0])
            for line in text.splitlines()
            if line.startswith(COMPILED)
        ]
        return Said(
            warnings=tuple(
                f"g++ took {seconds:.0f} s to compile the simulation"
                for seconds in times
                if seconds > LONG_COMPILATION_S
            )
        )

    def explain(self, error: EdgennError, text: str) -> EdgennError:
        """Why a compilation that was stopped took so long."""
        reasons = [line.removeprefix(LONG) for line in text.splitlines() if line.startswith(LONG)]
        if reasons and isinstance(error, EngineError):
            return EngineError(error.message, reasons[-1])
        return error


class Hls4mlEngine:
    """The compiled simulation of one .hls4ml file.

    Args:
        path: The file.
        options: ``io_type``: ``io_parallel`` or ``io_stream``, how hls4ml moves data between
            layers; by default what g++ compiles sooner. The numbers are the same.

    Raises:
        ArtifactError: The file is damaged.
        EngineError: hls4ml or g++ refuse it.
    """

    name = "hls4ml"
    step: StepInfo | None = None
    facts: ClassVar[Mapping[str, Any]] = {"adapter": "bit-accurate C simulation (Vitis), g++"}

    def __init__(self, path: Path, options: Mapping[str, Any]) -> None:
        content = read_hls4ml(path)
        self.inputs = tuple(port.info for port in content.inputs)
        self.outputs = tuple(port.info for port in content.outputs)
        self._layers = list(dict.fromkeys(port.layer for port in content.outputs))
        self._picked = [self._layers.index(port.layer) for port in content.outputs]
        self._path = path
        threading.stack_size(STACK_BYTES)
        self._worker = ThreadPoolExecutor(1)  # the only thread with such a stack
        # once the code is loaded and has read its weights, nothing of the project is needed
        with tempfile.TemporaryDirectory(prefix="edgenn-hls4ml-") as folder:
            self._model = self._compiled(content, folder, options)
            self.run([np.zeros((1, *known(port.info)), np.float32) for port in content.inputs])

    @property
    def version(self) -> str:
        return f"hls4ml {version('hls4ml')}"

    def _compiled(self, content: Hls4mlFile, folder: str, options: Mapping[str, Any]) -> Any:
        from hls4ml.model.graph import ModelGraph

        io_type = options.get("io_type") or chosen(content.layers)
        lines = unrolled_lines(content.layers)
        if io_type == PARALLEL and lines > MANY_LINES:
            culprit = obstacle(content.layers)
            print(f"{LONG}{lines:,} lines of convolutions; {culprit} does not stream", file=stderr)
        said = io.StringIO()
        try:
            with redirect_stdout(said), without("keras"):
                model = ModelGraph.from_layer_list(
                    configuration(content, folder, io_type),
                    [layer_entry(layer) for layer in content.layers],
                    [port.layer for port in content.inputs],
                    self._layers,
                )
                began = time.perf_counter()
                model.compile()
        except Exception as error:  # hls4ml raises all kinds, most of them plain
            raise EngineError(
                f"{self._path}: hls4ml: {reason(error, said.getvalue())}",
            ) from error
        print(f"{COMPILED}{time.perf_counter() - began:.1f} s", file=stderr)
        return model

    def reshape(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Nothing to do: samples run one by one, and the session has checked their shapes."""

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        inputs = [np.ascontiguousarray(array, np.float32) for array in arrays]
        predicted = self._worker.submit(self._predict, inputs).result()
        count = len(inputs[0])
        return [
            np.asarray(predicted[index], np.float32).reshape(count, *known(info))
            for index, info in zip(self._picked, self.outputs, strict=True)
        ]

    def _predict(self, inputs: list[Array]) -> list[Array]:
        """One array for each layer that is an output."""
        result = self._model.predict(inputs if len(inputs) > 1 else inputs[0])
        return result if len(self._layers) > 1 else [result]


@contextmanager
def without(module: str) -> Iterator[None]:
    """Hides a package that hls4ml would import, if it is there, and not use: seconds for Keras."""
    known = {module: sys.modules[module]} if module in sys.modules else {}
    sys.modules[module] = None  # type: ignore[assignment]  # as importlib's manual has it
    try:
        yield
    finally:
        del sys.modules[module]
        sys.modules.update(known)


def configuration(content: Hls4mlFile, folder: str, io_type: str) -> dict[str, Any]:
    """What hls4ml is told besides the layers."""
    from hls4ml.utils.config import create_config

    config: dict[str, Any] = create_config(
        output_dir=folder,
        project_name="network",
        backend="Vitis",
        io_type=io_type,
    )
    config["HLSConfig"] = {
        "Model": {"Precision": "ap_fixed<16,6>", "ReuseFactor": 1, "Strategy": "Latency"},
        "LayerName": {
            layer["name"]: {"Precision": layer["precision"], **layer["settings"]}
            for layer in content.layers
        },
    }
    return config


def known(info: TensorInfo) -> tuple[int, ...]:
    """The shape of one sample."""
    return tuple(size for size in info.shape[1:] if size is not None)


def layer_entry(layer: Mapping[str, Any]) -> dict[str, Any]:
    """A layer as hls4ml's converters write it."""
    entry = {"class_name": layer["class_name"], "name": layer["name"], **layer["attributes"]}
    return {**entry, "inputs": list(layer["inputs"])} if layer["inputs"] else entry


def reason(error: Exception, said: str) -> str:
    """Why hls4ml failed: the compiler's first error, or its own words."""
    errors = (line.strip() for line in said.splitlines() if "error:" in line)
    return next(errors, " ".join(str(error).split()) or type(error).__name__)
