"""What the pre-flight says before a conversion, against the real file and the real engines.

Models are the shipped ones and the published ones; for each target, the file that ``convert``
writes with real calibration samples is held against what was said without any.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import textgenrnn, traffic
from support.preflight import Both, assert_placed, open_engines, said_and_written, samples_for
from support.real_models import REAL_MODELS, real

import edgenn
from edgenn.frontend.loading import load_model
from edgenn.inspection import inspect_artifact
from edgenn.placement import PlacedOp, peak_activation, place, program_of
from edgenn.preflight import preflight
from edgenn.targets import find_target
from edgenn.targets.rules import rules_of

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Source:
    """A model with typical samples."""

    model: Any
    calibration: Any


def shipped(name: str) -> Callable[[], Source]:
    recipe, file = ROOT / f"models/{name}.py", ROOT / f"models/pretrained/{name}.keras"
    return lambda: Source(load_model(file).model, str(recipe))


def published(name: str) -> Callable[[], Source]:
    entry = REAL_MODELS[name]
    return lambda: Source(load_model(real(entry.file)).model, entry.calibration())


def traffic_flow() -> Source:
    folder = real("traffic-lstm")
    return Source(load_model(folder / traffic.FILE).model, traffic.load(folder).calibration)


def next_character() -> Source:
    folder = real("textgenrnn")
    return Source(textgenrnn.build_model(folder), textgenrnn.load_data(folder)["calibration"][0])


MODELS: dict[str, Callable[[], Source]] = {
    **{name: shipped(name) for name in ("digits_cnn", "digits_gru")},
    **{name: published(name) for name in REAL_MODELS},
    "traffic": traffic_flow,
    "textgenrnn": next_character,
}
LARGE = ("visual wake words", "textgenrnn")

PLANS = [
    ("ethos-u55-128", "int8"),
    ("ethos-u55-128", "int16x8"),
    ("ethos-u85-256", "int8"),
    ("tflite-micro", "float32"),
    ("tflite-micro", "int8"),
    ("gpu-fp32", "float32"),
    ("gpu-fp32", "int8"),
    ("qualcomm-htp", "int16x8"),
    ("gpu-onnxruntime", "float32"),
    ("cpu-onnxruntime", "int8"),
    ("cpu-xnnpack", "float32"),
]


PUBLISHED_FILES = [
    "awkward-dev/audio_preprocessor_int8.tflite",
    "basic-pitch/nmp.tflite",
    "coral-mobilenet/mobilenet_v1_0.25_128_quant.tflite",
    "dtln/model_1.tflite",
    "dtln/model_quant_2.tflite",
    "mlperf-tiny-ic/pretrainedResnet.tflite",
    "mlperf-tiny-ic/pretrainedResnet_quant.tflite",
    "mlperf-tiny-kws/kws_ref_model.tflite",
    "mltk-magic-wand/tflite_micro_magic_wand.tflite",
    "mltk-rock-paper-scissors/rock_paper_scissors.tflite",
    "tflm-hello-world/hello_world_float.tflite",
    "tflm-hello-world/hello_world_int8.tflite",
    "tflm-mnist-lstm/trained_lstm.tflite",
    "tflm-mnist-lstm/trained_lstm_int8.tflite",
]


@pytest.fixture(
    scope="module",
    params=[pytest.param(n, marks=pytest.mark.slow if n in LARGE else ()) for n in MODELS],
)
def source(request) -> Source:
    return MODELS[request.param]()


@pytest.fixture(scope="module", params=PLANS, ids="-".join)
def both(request, source, tmp_path_factory) -> Both:
    target, scheme = request.param
    folder = tmp_path_factory.mktemp("preflight") / "out"
    return said_and_written(source.model, source.calibration, target, scheme, folder)


@pytest.fixture(scope="module")
def engines():
    with open_engines() as opened:
        yield opened


def test_the_file_is_what_was_said(both):
    program = program_of(both.path.read_bytes(), both.artifact.format)
    placed = place(program, rules_of(find_target(both.said.target)))
    assert without_weights(both.said.ops) == without_weights(placed.ops)
    assert both.said.macs == both.artifact.macs
    assert both.said.peak_activation_bytes == peak_activation(program).bytes
    if both.artifact.format == "tflite":
        assert both.said == replace(both.said, ops=placed.ops, size_bytes=both.artifact.size_bytes)
    assert both.said.size_bytes == pytest.approx(both.artifact.size_bytes, rel=0.01)


def without_weights(ops: Sequence[PlacedOp]) -> list[PlacedOp]:
    """ONNX files hold equal scales once, and which are equal depends on the samples."""
    return [replace(op, weight_bytes=0) for op in ops]


def test_the_engine_places_ops_as_was_said(both, engines):
    assert_placed(both.said, both.path, samples_for(both.artifact), engines)


def test_with_real_samples_float_gates_are_exact_too(tmp_path):
    source = MODELS["digits_gru"]()
    options = {"quantize": ["int8"], "calibration": source.calibration}
    (said,) = preflight(source.model, ["cpu-xnnpack"], **options).targets
    bundle = edgenn.convert(source.model, tmp_path / "out", targets=["cpu-xnnpack"], **options)
    (artifact,) = bundle.manifest.artifacts
    program = program_of(bundle.file(artifact.file).read_bytes(), "tflite")
    assert said.ops == place(program, None).ops
    assert (said.size_bytes, said.macs) == (artifact.size_bytes, artifact.macs)


@pytest.mark.parametrize("target", ["ethos-u55-128", "ethos-u85-256", "tflite-micro", "gpu-fp32"])
@pytest.mark.parametrize("file", PUBLISHED_FILES)
def test_files_of_others(file, target, engines):
    """Written by TensorFlow's converter, and what nobody can run."""
    path = real(file)
    (said,) = preflight(path, [target]).targets
    infos = inspect_artifact(path).inputs
    sample = {info.name: np.zeros([size or 1 for size in info.shape], "float32") for info in infos}
    assert_placed(said, path, sample, engines)
