"""What would help is measured, and only what helps is said."""

import numpy as np
import pytest
from support import faults
from support.explained import converted

from edgenn import compiler
from edgenn.drift.explain.remedies import Measure, remedies
from edgenn.quantization.schemes import Scheme


@pytest.fixture(scope="module")
def study():
    case = converted("digits_gru", "int8", "int8")
    return case, *case.explain(case.artifact, switch_off=True)


def test_files_with_other_options_are_measured(study):
    _, found, explanation = study
    better = compiler.written(converted("digits_gru", "int8").artifact, "tflite")
    asked = []

    def reconvert(options):
        asked.append(options)
        return better if options == "--calibrator mse" else None

    given = remedies(found, explanation, scheme=Scheme.INT8, content=b"x", reconvert=reconvert)
    best = next(remedy for remedy in given if remedy.options == "--calibrator mse")
    assert best.after < best.before
    assert best.bytes_more == len(better) - 1
    assert any(options.startswith("--quantize int16x8 --only ") for options in asked)


def test_without_another_conversion_layers_in_float_are_measured(study):
    _, found, explanation = study
    for remedy in remedies(found, explanation, scheme=Scheme.INT8):
        assert remedy.options == f"--keep-float {remedy.layer}"
        assert remedy.after < remedy.before


def test_the_measure_may_be_a_task_metric(study):
    _, found, explanation = study

    def agreement(outputs, keras):
        same = [np.argmax(outputs[n], -1) == np.argmax(keras[n], -1) for n in outputs]
        return float(np.mean(same))

    measure = Measure("agreement", agreement, more_is_better=True, of_keras=True)
    for remedy in remedies(found, explanation, scheme=Scheme.INT8, measure=measure):
        assert remedy.metric == "agreement"
        assert remedy.after > remedy.before
        assert remedy.keras == 1.0


def test_a_fault_has_no_remedy_but_its_mending():
    case = converted("digits_cnn", "int8")
    found, explanation = case.explain(faults.bias_dropped(case.artifact, "block_2_a_relu"))
    assert remedies(found, explanation, scheme=Scheme.INT8) == ()
