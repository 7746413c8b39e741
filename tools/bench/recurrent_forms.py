"""Size, latency and drift of every form of a trained GRU and a trained LSTM, in every scheme.

- ``gru``: the shipped digits, 8 steps × 8 features, 48 units (``models/digits_gru.py``);
- ``lstm``: synthetic sounds, 49 steps × 40 features, 64 units (``sounds.py``).

All files take and give float, run on one thread in one process, in turn, round after round. A
latency is that of one sequence inside of the engine; a step file's is that of all its steps, and
``step_microseconds`` that of one. Drift is against Keras, over all test samples.

    python tools/bench/recurrent_forms.py [--rounds 40] [--models gru lstm]
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import common
import numpy as np
import sounds
from recurrent_runners import Runner, runner_of

from edgenn.errors import EdgennError
from edgenn.options import SCHEMES

CALLS = 10
"""In a row for one file in a round; the first is not counted."""
PRECISIONS = ("float32", "int16", "int8")


@dataclass(frozen=True)
class Subject:
    """A trained model and its data.

    Attributes:
        x: Test sequences ``(n, steps, features)``.
        expected: Keras's predictions for them.
    """

    name: str
    model: Any
    calibration: np.ndarray
    x: np.ndarray
    expected: np.ndarray


@dataclass(frozen=True)
class Build:
    """What one conversion is asked for; it gives a file for each scheme."""

    form: str
    format: str = "tflite"
    precision: str = "auto"
    schemes: tuple[str, ...] = SCHEMES


def gru() -> Subject:
    import keras

    from edgenn.data.recipe import load_recipe

    splits = load_recipe(common.ROOT / "models" / "digits_gru.py").load_data()
    model = keras.models.load_model(common.ROOT / "models" / "pretrained" / "digits_gru.keras")
    return subject("gru", model, splits)


def lstm() -> Subject:
    data = sounds.load_data()
    return subject("lstm", sounds.trained_model(data), data)


def subject(name: str, model: Any, data: dict[str, sounds.Split]) -> Subject:
    x = data["test"][0]
    return Subject(name, model, data["calibration"][0], x, model.predict(x, verbose=0))


SUBJECTS = {function.__name__: function for function in (gru, lstm)}


def builds(name: str) -> Iterator[Build]:
    """Every form in every scheme that it has; int8 with every precision of gates."""
    for form in ("loop", "unrolled", "step"):
        yield Build(form, schemes=tuple(scheme for scheme in SCHEMES if scheme != "int8"))
        for precision in PRECISIONS:
            yield Build(form, precision=precision, schemes=("int8",))
    if name == "lstm":  # TFLite fuses no other layer, and no int16 activations
        yield Build("fused", schemes=tuple(scheme for scheme in SCHEMES if scheme != "int16x8"))
    yield Build("native", "onnx")
    yield Build("step", "onnx")


def written(subject: Subject, build: Build, folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Its files, and what the result says of each."""
    import edgenn

    bundle = edgenn.convert(
        subject.model,
        folder,
        formats=(build.format,),
        quantize=build.schemes,
        calibration=subject.calibration,
        io=None if build.format == "onnx" else "float32",
        rnn="auto" if build.form == "native" else build.form,
        rnn_precision=build.precision,
        name="file",
    )
    for artifact in bundle.manifest.artifacts:
        assert artifact.recurrent is not None
        row = {
            "form": artifact.recurrent.form,
            "format": artifact.format,
            "scheme": artifact.scheme,
            "gates": artifact.recurrent.gates,
            "bytes": artifact.size_bytes,
        }
        yield bundle.file(artifact.file), row


def outputs(runner: Runner, x: np.ndarray) -> np.ndarray:
    """Of all sequences, one after the other."""
    results = []
    for sequence in x:
        runner.seconds(sequence[np.newaxis])
        results.append(runner.output()[0])
    return np.stack(results)


def round_microseconds(runner: Runner, x: np.ndarray) -> float:
    """Median of some sequences in a row."""
    times = [runner.seconds(sequence[np.newaxis]) for sequence in x]
    return 1e6 * statistics.median(times[1:])


def measure(subject: Subject, rounds: int) -> list[dict[str, Any]]:
    """A row for each file; one that could not be made says why."""
    rows: list[dict[str, Any]] = []
    runners: list[Runner] = []
    measured: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for number, build in enumerate(builds(subject.name)):
            try:
                for path, row in written(subject, build, Path(folder) / str(number)):
                    rows.append(row)
                    runners.append(runner_of(path))
                    measured.append(row)
            except EdgennError as error:
                rows.append({"form": build.form, "format": build.format, "error": str(error)})
        for row, runner in zip(measured, runners, strict=True):
            row |= drift(outputs(runner, subject.x), subject.expected)
        times: list[list[float]] = [[] for _ in runners]
        for _ in range(rounds):
            for own, runner in zip(times, runners, strict=True):
                own.append(round_microseconds(runner, subject.x[: CALLS + 1]))
    for row, own in zip(measured, times, strict=True):
        row["microseconds"] = statistics.median(own)
        if row["form"] == "step":
            row["step_microseconds"] = row["microseconds"] / subject.x.shape[1]
    return rows


def drift(result: np.ndarray, expected: np.ndarray) -> dict[str, float]:
    return {
        "rmse": common.rmse(result, expected),
        "max_abs": float(np.abs(result - expected).max()),
        "top1_agreement_percent": common.agreement(result, expected),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--models", nargs="*", choices=SUBJECTS, default=list(SUBJECTS))
    arguments = parser.parse_args()
    result: dict[str, Any] = {}
    failures = []
    for name in arguments.models:
        started = time.perf_counter()
        result[name] = rows = measure(SUBJECTS[name](), arguments.rounds)
        failures += [
            f"{name} {row['form']} {row['format']}: {row['error']}"
            for row in rows
            if "error" in row
        ]
        print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    common.finish(result, failures)


if __name__ == "__main__":
    main()
