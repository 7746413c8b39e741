"""Runs an artifact on a file of samples and writes a file of outputs."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from edgenn.atomic import replace_file
from edgenn.data import load
from edgenn.errors import OutputError
from edgenn.options import DEFAULT_TIME_LIMIT_S
from edgenn.progress import Progress
from edgenn.runners import default_runner
from edgenn.runners.target import Target
from edgenn.runners.target_run import TargetRun, fitting, run_on
from edgenn.runtime.tensor_info import Array
from edgenn.targets import Profile, profile_of


def run_file(
    artifact: Path,
    samples: Path,
    output: Path,
    *,
    target: str | Path | Profile | None = None,
    chunk: int | None = None,
    time_limit_s: float = DEFAULT_TIME_LIMIT_S,
    progress: Progress | None = None,
) -> TargetRun:
    """Runs in a child process; nothing is written where it fails.

    Args:
        artifact: A .tflite or .onnx file.
        samples: An .npy, .npz or recipe (its ``test`` split).
        output: An .npy for one output, an .npz for any number.
        target: What to run it on; LiteRT or ONNX Runtime as apps use them by default.
        chunk: Steps of a sequence to give at once; for an artifact that runs one step.
        time_limit_s: For the engine to open the file, and for each part of the samples.

    Raises:
        EdgennError: As ``Runner.run``, ``edgenn.data.load``; OutputError for the output;
            UsageError for a target that does not take the file.
    """
    if output.suffix not in (".npy", ".npz"):
        raise OutputError(f"{output} must end in .npy or .npz")
    if target is None:
        runner = default_runner(artifact)
        runner.time_limit_s = time_limit_s
        with runner:
            ports = runner.describe(artifact)
            names, outputs = ([info.name for info in infos] for infos in ports)
            require_room(output, outputs)
            data = load(samples, names, split="test")
            run = TargetRun(runner.run(artifact, data.inputs, progress, chunk=chunk))
    else:
        chosen = Target.of(profile_of(target), time_limit_s=time_limit_s)
        described = fitting(artifact, chosen.profile)
        states = {state.output for state in described.states}
        require_room(output, [o.name for o in described.outputs if o.name not in states])
        data = load(samples, described.data_inputs, split="test")
        run = run_on(chosen, artifact, data.inputs, chunk=chunk, progress=progress)
    write_arrays(output, run.result.outputs)
    return run


def require_room(output: Path, names: Sequence[str]) -> None:
    """An .npy takes one array."""
    if output.suffix == ".npy" and len(names) > 1:
        raise OutputError(
            f"{output} takes one output, the artifact has {len(names)}: {', '.join(names)}",
            f"write to {output.with_suffix('.npz').name}",
        )


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
