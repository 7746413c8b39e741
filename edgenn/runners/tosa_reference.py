"""TOSA's reference model: what Arm's specification says that the integers of a .tflite become.

Ethos-U is built to that specification, so these are the numbers of the NPU. A file is converted
once: .tflite → TOSA in MLIR's text (``tosa-converter-for-tflite``) → TOSA's own file
(``tosa-opt``), which the model then runs sample by sample.
"""

import os
import re
import signal
import subprocess
import sysconfig
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from edgenn.errors import EdgennError, EngineError, UnsupportedError
from edgenn.runners.environments import Requirement
from edgenn.runners.runner import Runner
from edgenn.runners.shapes import require_fixed_shapes
from edgenn.runners.tosa_text import mended, ports, unconverted
from edgenn.runtime.flatbuffer import Reader
from edgenn.runtime.litert import one_line
from edgenn.runtime.tensor_info import Array, TensorInfo
from edgenn.runtime.tflite_file import SCHEMA, operator_use, read_tflite

HINTS = {
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "--rnn unrolled has an LSTM's ops one by one",
    "WHILE": "recurrent layers have to be unrolled: --rnn unrolled",
}
CAST = 53
"""In TFLite's ``BuiltinOperator``."""
TEXT = ("--text", "--emit-debug-info")

ENDED = re.compile(r": (?:engine crashed|TOSA's model: ).*")
NO_KERNEL = re.compile(r"could not allocate op +(?P<op>\w+) +input=\((?P<type>[^)]*)\)")
FAILED = re.compile(r"^(?P<op>Op[A-Z]\w+): (?P<reason>.+)$", re.M)
ERROR_LINE = re.compile(r"error: (.*)", re.I)


class TosaReferenceEngine:
    """One file with fixed shapes.

    Args:
        path: The file.
        options: None yet.

    Raises:
        ArtifactError: The file is damaged or no .tflite.
        UnsupportedError: An op that the converter leaves as it is, or open shapes.
    """

    name = "tosa-reference"

    def __init__(self, path: Path, options: dict[str, Any]) -> None:
        content = read_tflite(path)
        self.inputs = tuple(port.info for port in content.inputs)
        self.outputs = tuple(port.info for port in content.outputs)
        self.step = content.step
        self._path = path
        require_fixed_shapes(path, "TOSA has fixed shapes", (*self.inputs, *self.outputs))
        with tempfile.TemporaryDirectory() as folder:
            text = self._convert(Path(folder))
            self._model = self._serialize(Path(folder), mended(text, made_by(path, CAST)))
        takes, gives = ports(text)  # none, and in order, where the file has no signature
        self._takes = [names(self.inputs).index(name) for name in takes or names(self.inputs)]
        self._gives = [(gives or names(self.outputs)).index(name) for name in names(self.outputs)]

    def _convert(self, folder: Path) -> str:
        target = folder / "model.mlir"
        done = tool("tosa-converter-for-tflite", self._path, *TEXT, "-o", target)
        if done.returncode:
            raise UnsupportedError(f"{self._path}: TOSA's converter refuses it: {words(done)}")
        text = target.read_text("utf-8")
        left = unconverted(text)
        if left:
            ops = ", ".join(f"{op} ({name})" if name else op for op, name in left.items())
            hints = [HINTS[op] for op in left if op in HINTS]
            raise UnsupportedError(
                f"{self._path}: TOSA's converter has nothing for {ops}", "; ".join(hints)
            )
        return text

    def _serialize(self, folder: Path, text: str) -> bytes:
        source, target = folder / "mended.mlir", folder / "model.tosa"
        source.write_text(text, "utf-8")
        file = f"--tosa-flatbuffer-filename={target}"
        done = tool("tosa-opt", source, "--tosa-serialize", file, "-o", os.devnull)
        if done.returncode or not target.is_file():
            raise UnsupportedError(f"{self._path}: it is not valid in TOSA: {words(done)}")
        return target.read_bytes()

    @property
    def version(self) -> str:
        packages = ("tosa-tools", "tosa-converter-for-tflite")
        return ", ".join(f"{name} {version(name)}" for name in packages)

    def reshape(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Nothing to do: the shapes are fixed."""

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        import tosa_reference_model

        given = [np.ascontiguousarray(arrays[index]) for index in self._takes]
        try:
            made, status = tosa_reference_model.run(self._model, given)
        except ValueError as error:
            raise EngineError(f"{self._path}: TOSA's model: {one_line(error)}") from error
        if status != tosa_reference_model.GraphStatus.TOSA_VALID:
            raise EngineError(f"{self._path}: TOSA's model ended with {status.name}")
        return [np.asarray(made[index]) for index in self._gives]


def tool(name: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Runs one of the programs that lie beside this Python.

    Raises:
        EngineError: It crashed.
    """
    command = [Path(sysconfig.get_path("scripts")) / name, *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode < 0:
        end = signal.Signals(-done.returncode)
        raise EngineError(f"{name} crashed on this artifact: signal {end.value} ({end.name})")
    return done


def words(done: "subprocess.CompletedProcess[str]") -> str:
    """What a program says of its failure: its errors, or else the last line."""
    said = done.stderr + done.stdout
    errors = dict.fromkeys(match.strip() for match in ERROR_LINE.findall(said))
    last = said.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
    return "; ".join(errors) if errors else last[0]


def made_by(path: Path, builtin: int) -> set[str]:
    """Names of the tensors that ops of a kind make."""
    model = Reader(path.read_bytes(), SCHEMA, str(path)).root("Model")
    kinds = [operator_use(code).builtin for code in model["operator_codes"] or ()]
    return {
        subgraph["tensors"][index]["name"]
        for subgraph in model["subgraphs"]
        for op in subgraph["operators"] or ()
        if kinds[op["opcode_index"]] == builtin
        for index in op["outputs"].values()
    }


def names(infos: Sequence[TensorInfo]) -> list[str]:
    return [info.name for info in infos]


class TosaReferenceRunner(Runner):
    """Its packages pin a flatbuffers and a NumPy that TensorFlow does not take."""

    name = "tosa-reference"
    suffix = ".tflite"
    engine = "edgenn.runners.tosa_reference:TosaReferenceEngine"
    option_names = ()
    requirement = Requirement(
        modules=("tosa_reference_model", "tosa_converter_for_tflite"),
        packages=("tosa-tools>=2026.8", "tosa-converter-for-tflite>=2026.2"),
        own=True,
    )

    def explain(self, error: EdgennError, text: str) -> EdgennError:
        """The model says on stderr what it does not run, and gives up or ends its process."""
        reason = refusal(text)
        if reason is None or not ENDED.search(error.message):
            return error
        where = ENDED.sub("", error.message)
        return UnsupportedError(f"{where}: TOSA's reference model refuses it: {reason}")


def refusal(text: str) -> str | None:
    """The model's last words, if they say what it does not run."""
    for match in NO_KERNEL.finditer(text):
        return f"no {match['op']} of {match['type']}"
    for match in FAILED.finditer(text):
        return f"{match['op'].removeprefix('Op')}: {match['reason']}"
    return None
