"""Published .tflite and .onnx files, which edgenn did not write, on every target.

    python tools/bench/published_files.py [--time-limit S]

Each runs on random samples; its numbers are compared with those of the same file on LiteRT's
reference kernels, or on ONNX Runtime's CPU. What does not run has its reason, in the engine's own
words.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import common
import numpy as np

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
TIME_LIMIT_S = 120.0
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
    samples = random_samples(inputs, inputs[0].shape[0] or SAMPLES)
    return run_on(Target.of(profile, time_limit_s=time_limit_s), path, samples).result


def cell(path: Path, name: str, witness: RunResult | None, time_limit_s: float) -> Row:
    row: Row = {"file": str(path.relative_to(common.MODELS)), "target": name}
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
    for path in sorted(common.MODELS.glob("*/*.tflite")) + sorted(common.MODELS.glob("*/*.onnx")):
        try:
            witness = run(path, WITNESS[path.suffix], limit)
        except EdgennError:
            witness = None
        for profile in shipped():
            if f".{profile.artifact.format}" == path.suffix:
                rows.append(cell(path, profile.name, witness, limit))
    common.finish({"files": json.loads(json.dumps(rows))}, [])


if __name__ == "__main__":
    main()
