"""Files that others wrote, read back. Witness: LiteRT's reference kernels."""

import numpy as np
import pytest
from support.one_op import random_inputs
from support.read_back import assert_same, evaluated
from support.real_models import MODELS, real

from edgenn.errors import UnsupportedError
from edgenn.importing import read_tflite_graph
from edgenn.runtime.litert import LiteRTEngine

FILES = {
    "basic-pitch/nmp": 5e-6,
    "coral-deeplab/deeplabv3_mnv2_dm05_pascal_quant": 0,
    "coral-mobilenet/mobilenet_v1_0.25_128_quant": 0,
    "dtln/model_1": 2e-6,
    "dtln/model_2": 2e-6,
    "dtln/model_quant_1": 1e-6,
    "dtln/model_quant_2": 1e-6,
    "mlperf-tiny-ic/pretrainedResnet": 1e-6,
    "mlperf-tiny-ic/pretrainedResnet_quant": 0,
    "mlperf-tiny-kws/kws_ref_model": 0,
    "mlperf-tiny-kws/kws_ref_model_float32": 1e-6,
    "mlperf-tiny-vww/vww_96_float": 1e-6,
    "mlperf-tiny-vww/vww_96_int8": 0,
    "mltk-magic-wand/tflite_micro_magic_wand": 0,
    "mltk-rock-paper-scissors/rock_paper_scissors": 0,
    "mltk-rock-paper-scissors/rock_paper_scissors.float32": 1e-6,
    "tflm-hello-world/hello_world_float": 5e-6,
    "tflm-hello-world/hello_world_int8": 0,
    "tflm-mnist-lstm/trained_lstm": 1e-6,
    "tflm-mnist-lstm/trained_lstm_int8": 0,
}
"""File → tolerance; 0 where all is integers, or quantised between its borders."""
REFUSED = {
    "awkward-dev/audio_preprocessor_int8": "SignalWindow",
    "awkward-dev/person_detect_vela": "ethos-u",
}
ONLY_READ = {"awkward-dev/person_detect"}
"""LiteRT does not open it."""


def test_all_files_are_named_here():
    real("INDEX.md")
    here = {str(p.relative_to(MODELS)).removesuffix(".tflite") for p in MODELS.glob("*/*.tflite")}
    assert here == {*FILES, *REFUSED, *ONLY_READ}


@pytest.mark.parametrize(("name", "tolerance"), FILES.items(), ids=FILES)
def test_numbers_are_those_of_litert(name, tolerance):
    path = real(f"{name}.tflite")
    graph, engine = read_tflite_graph(path), LiteRTEngine(path, reference=True)
    assert list(graph.inputs) == [info.name for info in engine.inputs]
    assert list(graph.outputs) == [info.name for info in engine.outputs]
    inputs = random_inputs(graph, np.random.default_rng(0), batch=1)
    engine.reshape([array.shape for array in inputs.values()])
    theirs = engine.run(list(inputs.values()))
    assert_same(evaluated(graph, inputs), dict(zip(graph.outputs, theirs, strict=True)), tolerance)


@pytest.mark.parametrize(("name", "op"), REFUSED.items(), ids=REFUSED)
def test_custom_ops_are_refused_by_name(name, op):
    with pytest.raises(UnsupportedError, match=f"{op} cannot be read"):
        read_tflite_graph(real(f"{name}.tflite"))


def test_a_file_that_litert_refuses_is_evaluated():
    graph = read_tflite_graph(real("awkward-dev/person_detect.tflite"))
    inputs = random_inputs(graph, np.random.default_rng(0), batch=1)
    (scores,) = evaluated(graph, inputs).values()
    assert scores.shape == (1, 2) and len(np.unique(scores)) == 2
