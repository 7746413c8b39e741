"""Runs an artifact on a file of samples and writes a file of outputs."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from edgenn.atomic import replace_file
from edgenn.data import load
from edgenn.errors import OutputError
from edgenn.progress import Progress
from edgenn.runners import default_runner
from edgenn.runners.runner import RunResult
from edgenn.runtime.tensor_info import Array


def run_file(
    artifact: Path,
    samples: Path,
    output: Path,
    *,
    chunk: int | None = None,
    progress: Progress | None = None,
) -> RunResult:
    """Runs in a child process; nothing is written where it fails.

    Args:
        artifact: A .tflite or .onnx file.
        samples: An .npy, .npz or recipe (its ``test`` split).
        output: An .npy for one output, an .npz for any number.
        chunk: Steps of a sequence to give at once; for an artifact that runs one step.

    Raises:
        EdgennError: As ``Runner.run``, ``edgenn.data.load``; OutputError for the output.
    """
    if output.suffix not in (".npy", ".npz"):
        raise OutputError(f"{output} must end in .npy or .npz")
    runner = default_runner(artifact)
    inputs, outputs = runner.describe(artifact)
    if output.suffix == ".npy" and len(outputs) > 1:
        names = ", ".join(info.name for info in outputs)
        raise OutputError(
            f"{output} takes one output, the artifact has {len(outputs)}: {names}",
            f"write to {output.with_suffix('.npz').name}",
        )
    data = load(samples, [info.name for info in inputs], split="test")
    result = runner.run(artifact, data.inputs, progress, chunk=chunk)
    write_arrays(output, result.outputs)
    return result


def write_arrays(path: Path, arrays: Mapping[str, Array]) -> None:
    """The only array as .npy, or all of them by name as .npz."""
    with replace_file(path) as draft, draft.open("wb") as file:
        if path.suffix == ".npy":
            (array,) = arrays.values()
            # numpy.save says of a full disk how much it wrote, not why it stopped
            array = np.ascontiguousarray(array)
            header = np.lib.format.header_data_from_array_1_0(array)
            np.lib.format.write_array_header_1_0(file, header)
            file.write(array.data)
        else:
            # numpy.savez cannot write names that are its own parameters, such as "file"
            with zipfile.ZipFile(file, "w") as archive:
                for name, array in arrays.items():
                    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                        np.lib.format.write_array(member, array, allow_pickle=False)
