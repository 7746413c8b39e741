"""TensorFlow Lite for Microcontrollers on this machine: its kernels, its memory plan."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from edgenn.errors import EngineError, UnavailableError, UnsupportedError
from edgenn.runners.environments import Requirement
from edgenn.runners.runner import Runner
from edgenn.runners.words import Words
from edgenn.runtime.tensor_info import Array, TensorInfo, shape_text
from edgenn.runtime.tflite_file import read_tflite

FIRST_ARENA = 1 << 28
LARGEST_ARENA = 1 << 34
"""Bytes. Memory that the runtime does not touch costs nothing, and in an arena that is much too
small it crashes: so it gets plenty, and says what it has used."""

NO_MEMORY = re.compile(r"Failed to allocate|Failed to resize buffer|Unable to allocate")
NO_KERNEL = re.compile(r"Didn't find op for builtin opcode '(\w+)'")
NO_CUSTOM_KERNEL = re.compile(r"Failed to get registration from op code (\w+)")
REFUSAL = re.compile(r"(?:^|\n)(.*)\nNode (\w+) \(number \d+\) failed to (?:prepare|invoke)")
KERNEL_FILE = re.compile(r"^tensorflow/\S+/(\w+\.cc)")
USED = re.compile(r"Arena allocation total (\d+) bytes")


class TfliteMicroRunner(Runner):
    """Runs a .tflite as a microcontroller does, one sample at a time, on the host's processor."""

    name = "tflite-micro"
    suffix = ".tflite"
    engine = "edgenn.runners.tflite_micro:TfliteMicroEngine"
    option_names = ("arena_bytes",)
    requirement = Requirement(
        modules=("tflite_micro",), packages=("tflite-micro>=0.dev20261023182759",)
    )


class TfliteMicroEngine:
    """One file in the interpreter; every run begins with the initial states.

    Args:
        options: ``arena_bytes``: the most that the arena may have; no limit by default.

    Raises:
        ArtifactError: The file is damaged or no .tflite.
        EngineError: It takes more memory than the limit.
        UnavailableError: The package is not installed.
        UnsupportedError: An op that the runtime does not run, or shapes that are open.
    """

    name = "tflite-micro"

    def __init__(self, path: Path, options: Mapping[str, Any]) -> None:
        content = read_tflite(path)
        self._path = path
        self._custom = sorted({op.custom for op in content.operators if op.custom})
        self._interpreter = self._loaded(path.read_bytes())
        # the file's sizes count, whatever its signature leaves open
        self.inputs, self.outputs = (
            tuple(self._fixed(port.info, detail(i)["shape"]) for i, port in enumerate(ports))
            for ports, detail in (
                (content.inputs, self._interpreter.get_input_details),
                (content.outputs, self._interpreter.get_output_details),
            )
        )
        self.step = content.step
        self.arena_bytes = self._used_bytes()
        limit = options.get("arena_bytes")
        if limit is not None and self.arena_bytes > limit:
            raise EngineError(
                f"{path}: the arena needs {self.arena_bytes:,} bytes, the limit is {limit:,}",
                "give the layers smaller outputs, or take a device with more memory",
            )

    def _loaded(self, model: bytes) -> Any:
        """An interpreter whose arena is large enough."""
        try:
            from tflite_micro.python.tflite_micro import runtime
        except ModuleNotFoundError as error:
            raise UnavailableError(
                "TensorFlow Lite Micro is not installed", "edgenn targets install tflite-micro"
            ) from error
        size = FIRST_ARENA
        while True:
            words = Words()
            try:
                return runtime.Interpreter.from_bytes(model, arena_size=size)
            except Exception as error:  # its reader, in Python, fails on damaged files as it likes
                if not NO_MEMORY.search(words.text()) or size >= LARGEST_ARENA:
                    raise self._refusal(error, words.text()) from error
            size *= 4

    def _used_bytes(self) -> int:
        """The arena that the file fills: activations, states and the runtime's own records.

        Pointers are wider here than on a processor of 32 bits, which needs a little less. Files
        with hardly any activations need a few hundred bytes more while they are being set up.
        """
        words = Words()
        self._interpreter.print_allocations()
        used = USED.search(words.text())
        if used is None:
            raise EngineError(f"{self._path}: TensorFlow Lite Micro did not say what it uses")
        return int(used[1])

    def _fixed(self, info: TensorInfo, sizes: Sequence[int]) -> TensorInfo:
        """The tensor as it is run."""
        shape = tuple(int(size) for size in sizes)
        if None in info.shape[1:]:
            raise UnsupportedError(
                f"{self._path}: {info.name!r} is {shape_text(info.shape)}: TensorFlow Lite Micro"
                " plans its memory for fixed shapes",
                "give the model's input its full shape",
            )
        return replace(info, shape=shape)

    def _refusal(self, error: Exception, words: str) -> EngineError | UnsupportedError:
        """What the runtime could not do, in its own words."""
        if found := NO_KERNEL.search(words) or NO_CUSTOM_KERNEL.search(words):
            op = ", ".join(self._custom) if found[1] == "CUSTOM" else found[1]
            return UnsupportedError(f"{self._path}: TensorFlow Lite Micro has no kernel for {op}")
        if found := REFUSAL.search(words):
            said = KERNEL_FILE.sub(r"\1", found[1])
            return UnsupportedError(f"{self._path}: TensorFlow Lite Micro, {found[2]}: {said}")
        lines = [line.strip() for line in words.splitlines() if line.strip()]
        return EngineError(f"{self._path}: {error}", " | ".join(lines[-3:]))

    @property
    def version(self) -> str:
        return f"tflite-micro {version('tflite-micro')}"

    @property
    def facts(self) -> Mapping[str, Any]:
        return {
            "arena_bytes": self.arena_bytes,
            "flash_bytes": self._path.stat().st_size,
        }

    def reshape(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Nothing to do: the shapes are the file's."""

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        interpreter = self._interpreter
        words = Words()
        try:
            interpreter.reset()
            for index, array in enumerate(arrays):
                interpreter.set_input(array, index)
            interpreter.invoke()
        except (RuntimeError, ValueError) as error:
            raise self._refusal(error, words.text()) from error
        return [interpreter.get_output(index) for index in range(len(self.outputs))]
