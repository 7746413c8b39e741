"""What the pre-flight says of a model, and what becomes of it on the engine."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgenn
from edgenn.errors import EdgennError, UnavailableError
from edgenn.ir.tensor import Array
from edgenn.manifest import Artifact
from edgenn.placement import TargetReport, program_of
from edgenn.placement.memory import VIEWS
from edgenn.preflight import preflight
from edgenn.runners.facts import Facts
from edgenn.runners.target import Target
from edgenn.targets import find_target


@dataclass(frozen=True)
class Both:
    """What was said, and what there is."""

    said: TargetReport
    artifact: Artifact
    path: Path


Engines = Callable[[str], Target]
"""Name of a target → its engines, whose processes are kept."""


@contextmanager
def open_engines() -> Iterator[Engines]:
    """Opens the engines of targets when they are first asked for; skips where they are absent."""
    with ExitStack() as stack:
        opened: dict[str, Target] = {}

        def engines(name: str) -> Target:
            if name not in opened:
                target = Target.of(find_target(name))
                try:
                    target.engines[-1].require_available()
                except UnavailableError as error:
                    pytest.skip(str(error))
                opened[name] = stack.enter_context(target)
            return opened[name]

        yield engines


def said_and_written(
    model: Any, calibration: Any, target: str, scheme: str, folder: Path, **options: Any
) -> Both:
    """What is said with made-up samples, and what is written with those given.

    Float gates in integer files depend on the samples, and are said with the same ones. Skips
    where the conversion refuses the model, once that is what was said.
    """
    options = {**options, "quantize": [scheme]}
    (said,) = preflight(model, [target], **options).targets
    if said.gates == "float32":
        (said,) = preflight(model, [target], calibration=calibration, **options).targets
    if said.size_bytes is None:
        with pytest.raises(EdgennError) as refusal:
            edgenn.convert(model, folder, targets=[target], calibration=calibration, **options)
        assert said.reasons == (str(refusal.value).removeprefix(f"{target}: "),)
        pytest.skip(f"the conversion refuses it, as was said: {refusal.value}")
    bundle = edgenn.convert(
        model, folder, targets=[target], calibration=calibration, name="model", **options
    )
    (artifact,) = bundle.manifest.artifacts
    return Both(said, artifact, bundle.file(artifact.file))


def assert_placed(
    said: TargetReport, path: Path, sample: dict[str, Array], engines: Engines
) -> None:
    """Whether the engine leaves to the CPU, or refuses, what was said. Skips where it is absent.

    An engine that refuses tells one of the ops, or crashes.
    """
    refused = [op for op in said.ops if op.where == "refused"]
    target = engines(said.target)
    if refused:
        with pytest.raises(EdgennError) as refusal:
            outcome(target, path, sample)
        text = str(refusal.value)
        told = any(op.kind in text or op.reason in text for op in refused)
        assert told or is_of_the_whole(text)
        return
    facts = outcome(target, path, sample)
    left = [op for op in said.ops if op.where == "cpu"]
    if target.estimator is not None:
        assert {(entry.op, entry.layer) for entry in facts.fallbacks} == {
            (op.kind, op.name) for op in left
        }
    # ONNX Runtime tells what is left of a file when it has made it shorter
    assert {entry.op for entry in facts.fallbacks} == {op.kind for op in left}
    if facts.arena_bytes is not None:
        assert_fits(said, path, facts.arena_bytes)


def outcome(target: Target, path: Path, sample: dict[str, Array]) -> Facts:
    """What the engine that places ops says of a file."""
    if target.estimator is not None:
        return target.estimator.estimate(path).facts
    return target.runner.run(path, sample).facts


def is_of_the_whole(text: str) -> bool:
    """A refusal that names no op: of open shapes, or by a crash."""
    return any(word in text for word in ("crashed", "fixed shapes", "delegate", "Vela refuses"))


def assert_fits(said: TargetReport, path: Path, arena_bytes: int) -> None:
    """An arena holds the activations, and besides them what the runtime keeps for each op.

    TensorFlow Lite Micro copies where a tensor only gets another shape, and its plan has gaps:
    of visual wake words almost as much as there are activations.
    """
    peak = said.peak_activation_bytes
    assert peak is not None and peak <= arena_bytes
    nodes = program_of(path.read_bytes(), "tflite").main.nodes
    copied = max((node.outputs[0].bytes for node in nodes if node.kind in VIEWS), default=0)
    assert arena_bytes <= 2 * (peak + copied) + 2_000 + 512 * len(said.ops)


def samples_for(artifact: Artifact) -> dict[str, Array]:
    """Zeros: valid indices as well as numbers."""
    return {
        info.name: np.zeros((1, *(size or 1 for size in info.shape[1:])), np.float32)
        for info in artifact.inputs
    }
