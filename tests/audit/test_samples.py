"""What the samples tell by themselves: duplicates, shared ones, constant ones, their scale."""

import numpy as np
import pytest

from edgenn.audit.checks.constant_inputs import constant_inputs
from edgenn.audit.checks.duplicates import duplicates
from edgenn.audit.checks.scaling import scaling
from edgenn.audit.checks.shared_samples import shared_samples
from edgenn.audit.checks.too_few import too_few
from edgenn.audit.evidence import Evidence
from edgenn.audit.survey import survey
from edgenn.data import Dataset
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.ops import Relu

RANDOM = np.random.default_rng(0)


def evidence(calibration, evaluation=None):
    builder = GraphBuilder("m")
    x = builder.input("x", (None, *calibration.shape[1:]))
    graph = builder.finish({"y": builder.add(Relu(), [x], "relu")})
    sets = [
        None if a is None else survey(graph, Dataset({"x": a})) for a in (calibration, evaluation)
    ]
    return Evidence(graph, *sets)


def test_duplicates_are_counted_and_named():
    samples = RANDOM.normal(size=(100, 4))
    samples[[7, 60]] = samples[3]
    (finding,) = duplicates(evidence(samples))
    assert finding.samples == (7, 60) and finding.share == 0.02
    assert finding.severity == "note"
    assert "2 of 100" in finding.message and "7 is 3, 60 is 3" in finding.message


def test_many_duplicates_are_a_warning():
    samples = np.repeat(RANDOM.normal(size=(50, 4)), 2, axis=0)
    (finding,) = duplicates(evidence(samples))
    assert finding.severity == "warning" and finding.share == 0.5


def test_no_duplicates():
    assert not list(duplicates(evidence(RANDOM.normal(size=(100, 4)))))


def test_shared_samples_are_those_of_the_evaluation_data():
    calibration, evaluation = RANDOM.normal(size=(50, 4)), RANDOM.normal(size=(40, 4))
    assert not list(shared_samples(evidence(calibration, evaluation)))
    evaluation[[5, 39]] = calibration[[10, 11]]
    (finding,) = shared_samples(evidence(calibration, evaluation))
    assert finding.samples == (5, 39) and finding.share == 0.05
    assert finding.severity == "warning"


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.zeros((40, 3)), "nothing but zeros"),
        (np.full((40, 3), 0.5), "nothing but the number 0.5"),
        (np.tile([1.0, 2.0, 3.0], (40, 1)), "all 40 calibration samples of 'x' are the same"),
    ],
)
def test_constant_data(samples, words):
    (finding,) = constant_inputs(evidence(samples))
    assert finding.severity == "warning" and words in finding.message
    assert not list(duplicates(evidence(samples)))  # said once


def test_a_colour_that_never_changes():
    photos = RANDOM.uniform(size=(40, 5, 5, 3))
    photos[..., 1] = 0
    (finding,) = constant_inputs(evidence(photos))
    assert finding.severity == "warning" and "1 of 3 channels" in finding.message
    assert finding.message.endswith("number 1")


def test_a_dead_feature_matters_where_it_lives_in_use():
    calibration, evaluation = RANDOM.normal(size=(40, 6)), RANDOM.normal(size=(40, 6))
    calibration[:, 2] = calibration[:, 4] = evaluation[:, 4] = 1
    (alone,) = constant_inputs(evidence(calibration))
    assert alone.severity == "note" and "2 of 6 features" in alone.message
    (compared,) = constant_inputs(evidence(calibration, evaluation))
    assert compared.severity == "warning" and "1 of them do" in compared.message


def test_pixels_that_never_change_are_counted():
    photos = RANDOM.uniform(size=(40, 5, 5, 1))
    photos[:, 0] = 0.25
    (finding,) = constant_inputs(evidence(photos))
    assert finding.severity == "note" and "5 of 25 positions" in finding.message
    assert finding.share == 0.2


PICTURES = RANDOM.uniform(size=(60, 4, 4, 1))


@pytest.mark.parametrize(
    ("calibration", "evaluation", "words"),
    [
        (PICTURES, 255 * PICTURES, "times farther"),
        (255 * PICTURES, PICTURES, "times less far"),
        (PICTURES, 2 * PICTURES - 1, "only one of them reaches below 0"),
        (2 * PICTURES - 1, PICTURES, "only one of them reaches below 0"),
        (255 * PICTURES, 255 * PICTURES - 128, "only one of them reaches below 0"),
        (PICTURES, 10 * (PICTURES - 0.5), None),  # a wider range: ``ranges`` says how wide
        (PICTURES, PICTURES[:30], None),
        (PICTURES, 0.5 * PICTURES, None),
        (PICTURES, 3 * PICTURES, None),
        (2 * PICTURES - 1, PICTURES[:4], None),  # four samples may well be positive by chance
    ],
)
def test_scales(calibration, evaluation, words):
    findings = list(scaling(evidence(calibration, evaluation)))
    assert len(findings) == (words is not None)
    for finding in findings:
        assert finding.severity == "warning" and words in finding.message
        assert finding.tensors == ("x",)


@pytest.mark.parametrize(("count", "warns"), [(1, True), (31, True), (32, False)])
def test_few_samples(count, warns):
    assert bool(list(too_few(evidence(RANDOM.normal(size=(count, 4)))))) == warns
