"""One artifact on one target: numbers, cost, and what the time is worth."""

from pathlib import Path

import numpy as np
import pytest
from support.artifacts import conv_graph, write_tflite
from support.bundles import make_bundle
from support.targets import fake_profile, fake_target

from edgenn.errors import ArtifactError, EngineError, UnavailableError, UsageError
from edgenn.report.target_run import fallback_lines, run_lines
from edgenn.runners import Facts, FakeRunner, Fallback
from edgenn.runners.target import Target
from edgenn.runners.target_run import TargetRun, fitting, run_on
from edgenn.runners.worth import HOST, SOFTWARE

X = {"x": np.ones((3, 4), np.float32)}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "any.tflite"
    path.touch()
    return path


def test_a_runner_that_is_not_there_is_said_with_its_profile():
    with pytest.raises(
        UsageError, match=r"profile my-board: no runner 'litrt' \(most like it: lit"
    ):
        Target.of(fake_profile("my-board").model_copy(update={"runner": "litrt"}))
    with pytest.raises(
        UsageError, match=r"profile my-board: no runner 'velo' \(most like it: vela"
    ):
        Target.of(fake_profile("my-board", estimator="velo").model_copy(update={"runner": "vela"}))


def lines(ran):
    return list(run_lines(ran, Path("y.npy")))


def test_numbers_of_the_runner_and_cost_of_the_estimator(file):
    runner = FakeRunner(facts=Facts(adapter="the simulator"))
    fallbacks = (Fallback("SOFTMAX", "head/softmax", "no such op"), Fallback("CAST", "", "int64"))
    cost = Facts(cycles=34_153, sram_bytes=20_000, macs=100, accelerator_macs=99)
    estimator = FakeRunner(facts=cost.joined(Facts(fallbacks=fallbacks)), stderr="WARNING: w\n")
    target = fake_target(runner, estimator=estimator, judge={"time": "estimated"})
    ran = run_on(target, file, X)
    np.testing.assert_array_equal(ran.result.outputs["x"], X["x"])
    assert ran.result.warnings == ("WARNING: w",)
    assert lines(ran) == [
        "y.npy: x (3, 4)",
        f"fake 1.0: 1.000 ms a sample (says nothing of the device: {HOST['estimated']})",
        "ran on the simulator",
        "fake 1.0: on the device 34,153 cycles, 20.0 kB of SRAM, 99.0 % of the MACs on the"
        " accelerator",
        "on the CPU: SOFTMAX (head/softmax): no such op",
        "on the CPU: CAST: int64",
    ]


def test_ops_that_share_a_reason_share_a_line():
    fallbacks = [Fallback("Q", f"layer_{i}", "no kernel") for i in range(5)]
    fallbacks += [Fallback("Q", "odd", "too large"), Fallback("Q", "", "no kernel")]
    assert list(fallback_lines(fallbacks)) == [
        "on the CPU: Q × 6 (layer_0, layer_1, layer_2 and 2 more): no kernel",
        "on the CPU: Q (odd): too large",
    ]


def test_an_estimator_that_fails_is_a_warning(file):
    class Broken(FakeRunner):
        def estimate(self, artifact):
            raise UnavailableError("Vela is away", "install it")

    ran = run_on(fake_target(FakeRunner(), estimator=Broken()), file, X)
    assert ran.result.warnings == ("Vela is away (install it)",)
    assert ran.estimator == "" and ran.result.outputs


def test_a_runner_that_fails_is_the_end(file):
    with pytest.raises(EngineError, match="bang"):
        run_on(fake_target(FakeRunner(error=EngineError("bang"))), file, X)


def test_a_gpu_in_software_says_so(file):
    runner = FakeRunner(facts=Facts(adapter="SwiftShader", software=True))
    said = lines(run_on(fake_target(runner), file, X))
    assert said[1:] == [
        f"fake 1.0: 1.000 ms a sample (says nothing of the device: {SOFTWARE})",
        "ran on SwiftShader (software)",
    ]


def test_a_plain_run_says_no_more_than_its_time(file):
    result = FakeRunner(facts=Facts(arena_bytes=1000)).run(file, X)
    assert lines(TargetRun(result))[1:] == [
        "fake 1.0: 1.000 ms a sample",
        "fake 1.0: on the device an arena of 1.0 kB",
    ]


def test_what_a_target_does_not_take(tmp_path):
    bundle = make_bundle(tmp_path)
    path = bundle.file("net.float32.tflite")
    assert fitting(path, fake_profile()).scheme == "float32"
    with pytest.raises(UsageError, match=r"float32, not int8 .*edgenn convert .* --target npu"):
        fitting(path, fake_profile("npu", schemes=("int8",)))
    loose = write_tflite(conv_graph(), tmp_path)
    assert fitting(loose, fake_profile("npu", schemes=("int8",))).scheme == ""
    with pytest.raises(UsageError, match="its batch is open, not 1"):
        fitting(loose, fake_profile(artifact={"batch": 1}))
    with pytest.raises(ArtifactError, match="does not exist"):
        fitting(tmp_path / "no.tflite", fake_profile())
