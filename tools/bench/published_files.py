"""Published .tflite and .onnx files, which edgenn did not write, on every target.

    python tools/bench/published_files.py [--time-limit S]

Each runs on random samples; its numbers are compared with those of the same file on LiteRT's
reference kernels, or on ONNX Runtime's CPU. What does not run has its reason, in the engine's own
words. A .tflite whose batch is open runs as a copy whose batch is fixed to 1, as it is stored.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import common
import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgenn.data.synthetic import random_samples
from edgenn.drift.peers import share_of_range
from edgenn.errors import EdgennError
from edgenn.runners import RunResult
from edgenn.runners.target import Target
from edgenn.runners.target_run import fitting, run_on
from edgenn.targets import find_target
from edgenn.targets.catalog import shipped

WITNESS = {".tflite": "cpu-reference", ".onnx": "cpu-onnxruntime"}
SAMPLES = 4
TIME_LIMIT_S = 30.0
Row = dict[str, Any]


def run(path: Path, name: str, time_limit_s: float) -> RunResult:
    """A file on a target, or why not.

    Raises:
        EdgennError: What the target says against it.
    """
    profile = find_target(name)
    artifact = fitting(path, profile)
    own = {state.input for state in artifact.states}
    inputs = [info for info in artifact.inputs if info.name not in own]
    samples = random_samples(inputs, SAMPLES)
    return run_on(Target.of(profile, time_limit_s=time_limit_s), path, samples).result


def with_fixed_shapes(path: Path, folder: Path) -> Path:
    """A copy of a .tflite without the signatures that leave sizes open; others are themselves."""
    if path.suffix != ".tflite":
        return path
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    tensors = [tensor for subgraph in model.subgraphs for tensor in subgraph.tensors]
    if not any(-1 in signature_of(tensor) for tensor in tensors):
        return path
    for tensor in tensors:
        tensor.shapeSignature = None
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    copy = folder / path.name
    copy.write_bytes(builder.Output())
    return copy


def signature_of(tensor: Any) -> list[int]:
    return [] if tensor.shapeSignature is None else [int(size) for size in tensor.shapeSignature]


def cell(file: str, path: Path, name: str, witness: RunResult | None, time_limit_s: float) -> Row:
    row: Row = {"file": file, "target": name}
    try:
        result = run(path, name, time_limit_s)
    except EdgennError as error:
        said = str(error).replace(f"{path}: ", "").replace(str(path), path.name)
        return {**row, "exit_code": error.exit_code, "reason": " ".join(said.split())}
    facts = result.facts
    row |= {
        "exit_code": 0,
        "reason": "; ".join(result.findings),
        "cycles": facts.cycles,
        "working_bytes": facts.working_bytes,
        "accelerator_share": facts.accelerator_share,
        "finite": all(np.isfinite(y).all() for y in result.outputs.values()),
    }
    if witness is not None:
        row["difference"] = max(
            share_of_range(expected, result.outputs[output])
            for output, expected in witness.outputs.items()
        )
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--time-limit", type=float, default=TIME_LIMIT_S)
    limit = parser.parse_args().time_limit
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(common.MODELS.glob("*/*.tflite")) + sorted(
            common.MODELS.glob("*/*.onnx")
        ):
            file = str(path.relative_to(common.MODELS))
            print(file, file=sys.stderr)
            copy = with_fixed_shapes(path, Path(folder))
            try:
                witness = run(copy, WITNESS[path.suffix], limit)
            except EdgennError:
                witness = None
            rows += [
                cell(file, copy, profile.name, witness, limit)
                for profile in shipped()
                if f".{profile.artifact.format}" == path.suffix
            ]
    common.finish({"files": json.loads(json.dumps(rows))}, [])


if __name__ == "__main__":
    main()
