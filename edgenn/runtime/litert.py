"""LiteRT, or TensorFlow Lite's runtime where that is what is installed."""

import importlib
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from edgenn.errors import ArtifactError, EngineError, UnavailableError
from edgenn.runtime.litert_variables import Variables
from edgenn.runtime.tensor_info import Array
from edgenn.runtime.tflite_file import read_tflite

PACKAGES = {
    "ai_edge_litert.interpreter": "ai-edge-litert",
    "tflite_runtime.interpreter": "tflite-runtime",
}
"""Module → distribution; the first that is installed is used."""


LONGEST_REASON = 200
"""Characters of an engine's own words in an error."""


class LiteRTEngine:
    """Runs a .tflite in the interpreter; every run begins with the initial states.

    Args:
        path: The file.
        threads: For kernels and XNNPACK.
        reference: Use TFLite's reference kernels instead of the optimised ones and XNNPACK.

    Raises:
        ArtifactError: The file is damaged or no .tflite.
        EngineError: LiteRT refuses the file.
        UnavailableError: No interpreter is installed.
    """

    def __init__(self, path: Path, threads: int = 1, *, reference: bool = False) -> None:
        self.name = "litert-reference" if reference else "litert"
        content = read_tflite(path)
        self.inputs = tuple(port.info for port in content.inputs)
        self.outputs = tuple(port.info for port in content.outputs)
        self.step = content.step
        self._indices = [port.index for port in content.inputs]
        self._output_indices = [port.index for port in content.outputs]
        module, self._distribution = load_interpreter_module()
        resolver = module.OpResolverType.BUILTIN_REF if reference else module.OpResolverType.AUTO
        # a model with state is loaded more than once: the file may be another by then
        states = content.variables
        model = {"model_content": path.read_bytes()} if states else {"model_path": str(path)}
        self._load = partial(
            module.Interpreter,
            **model,
            num_threads=threads,
            experimental_op_resolver_type=resolver,
        )
        self._states = states
        self._path = path
        try:
            self._start()
        except ValueError as error:
            raise ArtifactError(f"{path}: LiteRT cannot read it: {one_line(error)}") from error

    def _start(self) -> None:
        """Begins with an interpreter that has run nothing yet."""
        self._interpreter = interpreter = self._load()
        self._set_tensor = interpreter.set_tensor
        self._variables = Variables(self._states, interpreter)
        self._invoke = self._invoke_afresh if self._variables else interpreter.invoke
        self._get_tensor = interpreter.get_tensor

    @property
    def version(self) -> str:
        return f"{self._distribution} {version(self._distribution)}"

    def reshape(self, shapes: Sequence[tuple[int, ...]]) -> None:
        try:
            if self._variables.were_resized:
                # LiteRT moves what it keeps between runs; DEQUANTIZE would not write its
                # constants, float16 weights, to their new place (kernels/dequantize.cc)
                self._start()
            for index, info, shape in zip(self._indices, self.inputs, shapes, strict=True):
                if None in info.shape:
                    self._interpreter.resize_tensor_input(index, shape, strict=True)
            self._variables.resize(shapes)
            self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            raise EngineError(
                f"{self._path}: LiteRT refuses it: {one_line(error)}",
                "edgenn inspect lists its ops and shapes",
            ) from error

    def _invoke_afresh(self) -> None:
        self._variables.reset()
        self._interpreter.invoke()

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        try:
            for index, array in zip(self._indices, arrays):  # noqa: B905 - in the inner loop
                self._set_tensor(index, array)
            self._invoke()
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"{self._path}: LiteRT: {one_line(error)}") from error
        return [self._get_tensor(index) for index in self._output_indices]


def load_interpreter_module() -> tuple[Any, str]:
    """The interpreter's module and the name of its distribution."""
    for module, distribution in PACKAGES.items():
        try:
            return importlib.import_module(module), distribution
        except ModuleNotFoundError as error:
            # a broken installation is not a missing one
            if error.name not in (module, module.partition(".")[0]):
                raise
    raise UnavailableError(
        "LiteRT is not installed", "pip install ai-edge-litert, or tflite-runtime"
    )


def one_line(error: Exception) -> str:
    """What an engine says of an error; it may say the same of every tensor."""
    text = " ".join(str(error).split())
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]} …"
