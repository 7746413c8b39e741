"""Rungs whose engine is at fault, in a whole ladder."""

from dataclasses import replace

import numpy as np
import pytest
from support.bundles import SAMPLES, make_bundle, predict
from support.targets import cpu_targets, fake_target
from support.wrong_engine import WrongAt, scaled

from edgenn.data import dataset
from edgenn.drift import check_bundle
from edgenn.drift.explain.engines import blamed, suspects, worst_samples
from edgenn.drift.report import Rung
from edgenn.errors import EngineError
from edgenn.runners import FakeRunner


def fake(shift):
    return FakeRunner(lambda inputs: {"y": predict(dataset(inputs))["y"] + shift})


@pytest.fixture
def bundle(tmp_path):
    return make_bundle(tmp_path)


@pytest.fixture
def data():
    return dataset({"x": SAMPLES})


def climbed(bundle, data, *others):
    targets = [*cpu_targets()[:2], *others]
    return check_bundle(bundle, data, None, targets).rungs, targets


def test_the_engine_that_is_wrong_is_told_and_the_layer(bundle, data):
    rungs, targets = climbed(bundle, data, fake_target(WrongAt("conv", scaled), "odd"))
    assert [rung.failed for rung in rungs] == [False, False, True]
    found = blamed(rungs, bundle, data, targets)
    assert found[:2] == rungs[:2]
    (finding,) = found[2].findings
    assert finding.startswith(
        "the file is right; layer conv (conv_2d) differs on odd from cpu-xnnpack"
    )


def test_an_engine_that_only_fails_on_the_whole_file(bundle, data):
    class WholeOnly(WrongAt):
        """Right on pieces, which have other names than the file."""

        def compute_wrongly(self, inputs):
            shift = 5.0 if self.artifacts[-1].name.startswith("net") else 0.0
            self.fault = lambda graph, name: graph
            return {name: y + shift for name, y in super().compute_wrongly(inputs).items()}

    rungs, targets = climbed(bundle, data, fake_target(WholeOnly("conv", None), "odd"))
    (finding,) = blamed(rungs, bundle, data, targets)[2].findings
    assert finding == (
        "the file is right on cpu-xnnpack, and no layer alone shows what differs on odd"
    )


def test_an_engine_that_dies_on_a_piece_is_no_end_of_the_check(bundle, data):
    odd = fake(5.0)
    rungs, targets = climbed(bundle, data, fake_target(odd, "odd"))
    odd.error = EngineError("it crashed")
    (finding,) = blamed(rungs, bundle, data, targets)[2].findings
    assert finding == "which layer odd gets wrong is not known: it crashed"


def test_a_file_that_fails_at_once_is_not_right(bundle):
    def rung(target, findings=(), file="net.float32.tflite"):
        return Rung(file, "float32", target, metrics={}, findings=findings)

    wrong = ("far off",)
    assert not list(suspects([rung("a", wrong), rung("b"), rung("c", wrong)], bundle))
    assert not list(suspects([rung("a"), replace(rung("b", wrong), metrics=None)], bundle))
    onnx = "net.float32.onnx"
    assert not list(suspects([rung("a", file=onnx), rung("b", wrong, onnx)], bundle))
    ladder = [rung("a"), rung("b"), rung("c", wrong), rung("d", wrong)]
    found = [(each.rung.target, each.right.target) for each in suspects(ladder, bundle)]
    assert found == [("c", "b"), ("d", "b")]


def test_the_worst_samples_are_run(bundle, data):
    rungs, _ = climbed(bundle, data)
    worst = worst_samples(rungs[0], data)["x"]
    rows = sorted({sample.index for sample in rungs[0].worst})
    np.testing.assert_array_equal(worst, SAMPLES[rows])
    np.testing.assert_array_equal(worst_samples(replace(rungs[0], worst=()), data)["x"], SAMPLES)
