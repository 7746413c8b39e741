"""Targets beside each other: which file, which peer, whose cost."""

import numpy as np
import pytest
from support.bundles import SAMPLES, make_bundle, predict
from support.targets import cpu_targets, fake_target

from edgenn.data import dataset
from edgenn.drift import check_bundle
from edgenn.errors import EngineError, UnavailableError, UnsupportedError, UsageError
from edgenn.runners import Facts, FakeRunner, Fallback
from edgenn.runners.runner import Runner

LABELS = np.zeros(len(SAMPLES), np.int64)


@pytest.fixture
def data():
    return dataset({"x": SAMPLES}, LABELS)


def fake(shift=0.0, **options):
    return FakeRunner(lambda inputs: {"y": predict(dataset(inputs))["y"] + shift}, **options)


def test_each_engine_is_started_once(tmp_path, data, monkeypatch):
    starts = []
    original = Runner.start
    monkeypatch.setattr(Runner, "start", lambda self: (starts.append(self.name), original(self))[1])
    report = check_bundle(make_bundle(tmp_path, crash=False), data, None, cpu_targets())
    assert len(report.rungs) == 3
    assert sorted(starts) == ["litert", "litert-reference", "onnxruntime"]


def test_a_fake_engine_serves_several_files_in_one_process(tmp_path, data):
    runner = fake()
    check_bundle(make_bundle(tmp_path, crash=True), data, None, [fake_target(runner)])
    assert (len(runner.artifacts), runner.starts) == (2, 1)


@pytest.mark.parametrize(("shift", "tolerance"), [(0.0, 1e-6), (0.5, 0.0), (0.5, 1.0)])
def test_a_peer(tmp_path, data, shift, tolerance):
    target = fake_target(
        fake(shift), judge={"peer": "cpu-reference", "tolerances": {"float32": tolerance}}
    )
    report = check_bundle(make_bundle(tmp_path), data, None, [target])
    (rung,) = report.rungs
    assert rung.peer == "cpu-reference"
    spread = np.ptp(predict(data)["y"])
    assert rung.peer_difference == pytest.approx(shift / spread, abs=1e-6)
    if shift > tolerance * spread:
        assert "differs from cpu-reference by" in rung.findings[0]
        assert "it has to be equal" in rung.findings[0]
    else:
        assert rung.findings == ()
    assert report.exit_code == (shift > 0), "the budget has a say, too"


def test_a_peer_that_runs_anyway_is_not_run_again(tmp_path, data):
    runner = fake()
    peer = fake_target(runner, "mine")
    judged = fake_target(fake(), judge={"peer": "mine", "tolerances": {"float32": 0.0}})
    report = check_bundle(make_bundle(tmp_path), data, None, [peer, judged])
    assert report.rungs[1].peer_difference == 0
    assert runner.starts == 1 and len(runner.artifacts) == 1


def test_a_peer_that_is_no_target_is_refused_before_anything_runs(tmp_path, data):
    runner = fake()
    judged = fake_target(runner, judge={"peer": "mine", "tolerances": {"float32": 0.0}})
    with pytest.raises(UsageError, match="the peer in the profile fake: no target 'mine'"):
        check_bundle(make_bundle(tmp_path), data, None, [judged])
    assert runner.artifacts == []


def test_a_peer_that_fails_is_said(tmp_path, data):
    peer = fake_target(fake(error=EngineError("crashed")), "mine")
    judged = fake_target(fake(), judge={"peer": "mine", "tolerances": {"float32": 0.0}})
    report = check_bundle(make_bundle(tmp_path), data, None, [judged, peer])
    assert report.rungs[0].findings == ("no comparison with mine: crashed",)
    assert report.rungs[0].metrics is not None


COST = Facts(cycles=1000, macs=10, accelerator_macs=5, fallbacks=(Fallback("SIN", "a", "none"),))


def test_two_halves(tmp_path, data):
    target = fake_target(fake(), estimator=FakeRunner(facts=COST))
    (rung,) = check_bundle(make_bundle(tmp_path), data, None, [target]).rungs
    assert rung.metrics is not None and rung.estimator == "fake 1.0"
    assert rung.facts.cycles == 1000 and rung.facts.accelerator_share == 0.5
    assert rung.facts.fallbacks[0].op == "SIN"


def test_one_half_stands_where_the_other_fails(tmp_path, data):
    refused = UnsupportedError("no WHILE here")
    target = fake_target(fake(error=refused), estimator=FakeRunner(facts=COST))
    report = check_bundle(make_bundle(tmp_path), data, None, [target])
    (rung,) = report.rungs
    assert rung.metrics is None and rung.facts.cycles == 1000
    assert rung.findings == ("no WHILE here",) and report.exit_code == 3


def test_a_target_without_a_file(tmp_path, data):
    target = fake_target(fake(), "npu", artifact={"batch": 1})
    bundle = make_bundle(tmp_path)
    with pytest.raises(UsageError, match=r"no file for npu .*its batch is open.*--target npu"):
        check_bundle(bundle, data, None, [target])
    report = check_bundle(bundle, data, None, [target], every=True)
    assert report.exit_code == 0
    assert "takes none of the files" in report.rungs[0].notes[0]


def test_what_is_not_installed(tmp_path, data):
    bundle = make_bundle(tmp_path)
    target = fake_target(fake(error=UnavailableError("not installed")))
    asked = check_bundle(bundle, data, None, [target])
    assert asked.exit_code == 4 and asked.rungs[0].findings
    every = check_bundle(bundle, data, None, [target], every=True)
    assert every.exit_code == 0 and every.rungs[0].notes == ("not installed",)


@pytest.mark.parametrize(
    ("memory", "words"),
    [({"flash_bytes": 100}, "flash 100"), ({"sram_bytes": 50}, "60 bytes of working memory")],
)
def test_what_does_not_fit_into_a_targets_memory(tmp_path, data, memory, words):
    target = fake_target(fake(facts=Facts(arena_bytes=60)), memory=memory)
    report = check_bundle(make_bundle(tmp_path), data, None, [target])
    (rung,) = report.rungs
    assert rung.metrics is not None and report.exit_code == 3
    assert words in rung.findings[0]
