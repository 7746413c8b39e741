"""Files for the microcontroller runtime: its numbers are those of LiteRT's reference kernels."""

import numpy as np
import pytest
from support.digits import ROOT
from support.real_models import REAL_MODELS, real

import edgenn
from edgenn.data import load_recipe
from edgenn.runners import LiteRTReferenceRunner
from edgenn.runners.tflite_micro import TfliteMicroRunner

pytest.importorskip("tflite_micro", reason="edgenn targets install tflite-micro")

TARGET = "tflite-micro"
SCHEMES = ("float32", "int8", "int16x8")
SAMPLES = 200
ARENA_BYTES = {
    "image classification": 60_000,
    "keyword spotting": 27_000,
    "visual wake words": 110_000,
    "rock paper scissors": 150_000,
    "magic wand": 8_000,
}
"""Of the int8 files; what a microcontroller needs is the point of it."""


@pytest.fixture(scope="module")
def engines():
    with TfliteMicroRunner() as micro, LiteRTReferenceRunner() as reference:
        yield micro, reference


def differences(engines, path, inputs):
    """The largest difference as a share of the range, and the arena."""
    ours, theirs = (engine.run(path, inputs) for engine in engines)
    shares = [
        float(np.abs(ours.outputs[name] - expected).max() / np.ptp(expected))
        for name, expected in theirs.outputs.items()
    ]
    return max(shares), ours.facts.arena_bytes


@pytest.mark.parametrize("name", ["digits_cnn", "digits_gru"])
def test_reference_models(tmp_path, engines, name):
    recipe = ROOT / "models" / f"{name}.py"
    bundle = edgenn.convert(
        ROOT / "models" / "pretrained" / f"{name}.keras",
        tmp_path / "bundle",
        targets=[TARGET],
        quantize=SCHEMES,
        calibration=recipe,
    )
    x, _ = load_recipe(recipe).split("test")
    for artifact in bundle.manifest.artifacts:
        (info,) = artifact.inputs
        difference, arena_bytes = differences(
            engines, bundle.file(artifact.file), {info.name: x[:SAMPLES]}
        )
        # int16: multipliers of MUL are rounded from float in one runtime, from double in the other
        assert difference <= (1e-3 if artifact.scheme == "int16x8" else 0), artifact.file
        assert arena_bytes < 64_000


@pytest.mark.parametrize("name", REAL_MODELS)
def test_convolutional_networks_are_bit_exact(tmp_path, engines, name):
    model = REAL_MODELS[name]
    bundle = edgenn.convert(
        real(model.file),
        tmp_path / "bundle",
        targets=[TARGET],
        quantize=("float32", "int8"),
        calibration=model.calibration(),
    )
    x = np.concatenate([model.evaluation(), model.calibration()])
    repeats = -(-SAMPLES // len(x))
    x = np.concatenate([x * np.float32(0.9**i) for i in range(repeats)])[:SAMPLES]
    for artifact in bundle.manifest.artifacts:
        (info,) = artifact.inputs
        difference, arena_bytes = differences(engines, bundle.file(artifact.file), {info.name: x})
        assert difference == 0, artifact.file
        if artifact.scheme == "int8":
            assert arena_bytes < ARENA_BYTES[name]
