"""Artifacts on targets: rows and their order, what fails, what says nothing of the device."""

import inspect
import io
import json

import click
import pytest
from rich.console import Console
from support.bundles import SAMPLES, make_bundle
from support.targets import cpu_targets, fake_target

from edgenn import api, benchmark
from edgenn.benchmark import BenchReport, BenchRow, Plan
from edgenn.cli.main import cli
from edgenn.data import dataset
from edgenn.errors import ArtifactError, EngineError, UnavailableError, UnsupportedError, UsageError
from edgenn.report import to_json
from edgenn.report.benchmark import print_bench
from edgenn.runners import Facts, FakeRunner, Fallback
from edgenn.runners.measuring import Measured
from edgenn.runners.worth import HOST, SOFTWARE

DATA = dataset({"x": SAMPLES}, source="x.npz")


@pytest.fixture
def bundle(tmp_path):
    return make_bundle(tmp_path)


def fake(**options):
    return FakeRunner(lambda inputs: {"y": inputs["x"]}, **options)


def report_of(bundle, *targets, plan=None):
    artifacts = bundle.manifest.artifacts
    return benchmark.benchmark(bundle.path, artifacts, targets, plan or Plan(20, 5, DATA))


def printed(report):
    stream = io.StringIO()
    print_bench(report, Console(file=stream, width=80))
    text = stream.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    return text


def test_real_engines(bundle):
    report = report_of(bundle, *cpu_targets(), plan=Plan(20, 5))
    assert [(row.artifact, row.target) for row in report.rows] == [
        ("net.float32.tflite", "cpu-reference"),
        ("net.float32.tflite", "cpu-xnnpack"),
        ("net.float32.onnx", "cpu-onnxruntime"),
    ]
    for row in report.rows:
        assert 0 < row.latency_ms <= row.p90_ms
        assert row.first_run_ms > 0 and row.load_ms > 0 and row.peak_memory_bytes > 0
        assert (row.unit, row.not_the_device, row.findings) == ("sample", "", ())
    assert (report.exit_code, report.data) == (0, "random samples")


def test_the_warm_up_does_not_count(bundle, monkeypatch):
    took = (100.0, 50.0, *map(float, range(1, 11)))
    seen = Measured("fake 1.0", took, Facts(first_run_ms=100.0, load_ms=7.0), (), ())
    monkeypatch.setattr(benchmark, "measure", lambda *_, **__: seen)
    (row,) = report_of(bundle, fake_target(fake()), plan=Plan(10, 2, DATA)).rows
    assert (row.latency_ms, row.first_run_ms, row.load_ms) == (5.5, 100.0, 7.0)
    assert row.p90_ms == pytest.approx(9.1)


def test_each_artifact_has_a_process_of_its_own(tmp_path):
    runner = fake()
    report = report_of(make_bundle(tmp_path, crash=True), fake_target(runner))
    assert [row.artifact for row in report.rows] == ["net.float32.tflite", "net.int8.tflite"]
    assert runner.starts == 2


def test_the_estimator_gives_the_cost_and_not_its_own_time(bundle):
    runner = fake(facts=Facts(load_ms=5, peak_memory_bytes=100, arena_bytes=10))
    estimator = fake(facts=Facts(load_ms=900, peak_memory_bytes=1 << 30, cycles=42, macs=864))
    target = fake_target(runner, estimator=estimator, judge={"time": "estimated"})
    (row,) = report_of(bundle, target).rows
    assert (row.facts.cycles, row.facts.macs, row.facts.arena_bytes) == (42, 864, 10)
    assert (row.load_ms, row.peak_memory_bytes) == (5, 100)
    assert (row.facts.load_ms, row.facts.peak_memory_bytes) == (5, 100)
    assert (row.version, row.estimator) == ("fake 1.0", "fake 1.0")


@pytest.mark.parametrize(
    ("facts", "time", "expected"),
    [
        (Facts(), "measured", ""),
        (Facts(software=False), "measured", ""),
        (Facts(software=True), "measured", SOFTWARE),
        (Facts(), "none", HOST["none"]),
        (Facts(), "estimated", HOST["estimated"]),
    ],
)
def test_times_that_say_nothing_of_the_device(bundle, facts, time, expected):
    target = fake_target(fake(facts=facts, latency_ms=1.25), judge={"time": time})
    report = report_of(bundle, target)
    assert report.rows[0].not_the_device == expected
    text = " ".join(printed(report).split())
    assert ("(1.250)" in text) == bool(expected) and "1.250" in text
    assert expected in text


def test_what_fails_is_a_row_and_the_others_go_on(bundle):
    broken = fake_target(fake(error=EngineError("bang")), "broken")
    report = report_of(bundle, broken, fake_target(fake()))
    failed, good = report.rows
    assert (failed.target, failed.latency_ms, failed.findings) == ("broken", None, ("bang",))
    assert good.latency_ms == 1.0
    assert "failed" in printed(report) and "broken: bang" in printed(report)


def test_reasons_do_not_repeat_the_file(bundle):
    path = bundle.file("net.float32.tflite").absolute()
    (row,) = report_of(bundle, fake_target(fake(error=EngineError(f"{path}: bang")))).rows
    assert row.findings == ("bang",)


def test_half_of_a_target_stands_where_the_other_fails(bundle):
    runner, estimator = fake(error=UnavailableError("away")), fake(facts=Facts(cycles=42))
    (row,) = report_of(bundle, fake_target(runner, estimator=estimator)).rows
    assert row.latency_ms is None and row.facts.cycles == 42
    assert (row.findings, row.exit_code) == (("away",), 4)


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([None], 0),
        ([ArtifactError("damaged")], 2),
        ([UnsupportedError("op"), ArtifactError("damaged")], 3),
        ([UnsupportedError("op"), UnavailableError("away")], 4),
        ([UnavailableError("away"), EngineError("crashed"), None], 5),
    ],
)
def test_exit_codes(bundle, errors, expected):
    targets = [fake_target(fake(error=error), str(i)) for i, error in enumerate(errors)]
    assert report_of(bundle, *targets).exit_code == expected


def test_outputs_that_are_no_numbers(bundle):
    runner = FakeRunner(lambda inputs: {"y": inputs["x"] * float("nan")})
    assert report_of(bundle, fake_target(runner)).exit_code == 1


def test_targets_nobody_asked_for_by_name(bundle):
    away = fake_target(fake(error=UnavailableError("away")), "away")
    other = fake_target(fake(suffix=".onnx"), "other", schemes=("int8",))
    report = report_of(bundle, away, other, plan=Plan(5, 1, DATA, every=True))
    assert [(row.target, row.findings) for row in report.rows] == [("away", ()), ("other", ())]
    assert report.rows[0].notes == ("away",)
    assert "net.float32.onnx: it is float32, not int8" in report.rows[1].notes[0]
    assert report.exit_code == 0
    assert "absent" in printed(report)


def test_a_target_that_takes_none_of_the_files(bundle):
    other = fake_target(fake(), "other", schemes=("int8",))
    with pytest.raises(UsageError, match=r"other takes none .*edgenn convert .* --target other"):
        report_of(bundle, other)


@pytest.mark.parametrize(("runs", "warmup"), [(0, 1), (1, -1)])
def test_nothing_to_measure(bundle, runs, warmup):
    with pytest.raises(UsageError, match="can be measured"):
        report_of(bundle, fake_target(fake()), plan=Plan(runs, warmup, DATA))


def test_what_is_known_of_the_device_is_shown(bundle):
    facts = Facts(
        adapter="GPU [0]",
        software=False,
        cycles=34_153,
        sram_bytes=20_000,
        macs=1000,
        accelerator_macs=990,
        fallbacks=(Fallback("SOFTMAX", "s", "no"), Fallback("SOFTMAX", "t", "no")),
    )
    text = printed(report_of(bundle, fake_target(fake(facts=facts)), fake_target(fake(), "plain")))
    for cell in ("34,153", "20.0 kB", "1,000", "99.0 %", "ran on GPU [0]", "on the CPU: SOFTMAX"):
        assert cell in " ".join(text.split())
    assert "flash" not in text
    text = printed(report_of(bundle, fake_target(fake())))
    assert "on the device" not in text


def test_what_is_said_of_every_file_is_said_once(tmp_path):
    rows = [
        BenchRow(f"{name}.tflite", "int8", target, facts=Facts(adapter="A"), warnings=(w, "slow"))
        for name, w in (("a", "first"), ("b", "second"))
        for target in ("gpu", "npu")
    ]
    text = printed(BenchReport("p", "d", 1, 0, tuple(rows)))
    lines = [line.rstrip() for line in text.splitlines()]
    assert lines.count("gpu, npu: ran on A") == lines.count("gpu, npu: slow") == 1
    assert "a.tflite on gpu, a.tflite on npu: first" in lines
    assert text.count("ran on A") == text.count("slow") == text.count("second") == 1


def test_the_widest_table_fits(bundle):
    facts = Facts(None, False, 10**8, 10**9, 10**8, 10**8, 10**10, 10**10)
    target = fake_target(
        fake(latency_ms=123456.789, facts=facts), "a-target-of-20-chars", judge={"time": "none"}
    )
    text = printed(report_of(bundle, target))
    assert "…" not in text and "(123457)" in text and "10 G" in text and "1 G" in text


def test_json_is_all_of_it(bundle):
    report = report_of(bundle, fake_target(fake()))
    (row,) = json.loads(to_json(report))["rows"]
    assert (row["latency_ms"], row["unit"], row["target"]) == (1.0, "sample", "fake")


def test_a_file_is_measured_alone_and_defaults_are_what_takes_it(bundle):
    report = api.bench(bundle.file("net.float32.onnx"), runs=3, warmup=1)
    (row,) = report.rows
    assert (row.artifact, row.target, row.scheme) == (
        "net.float32.onnx",
        "cpu-onnxruntime",
        "float32",
    )
    both = api.bench(bundle.path, runs=3, warmup=1, data=SAMPLES)
    assert [row.target for row in both.rows] == ["cpu-xnnpack", "cpu-onnxruntime"]


def test_the_command_has_the_defaults_of_python():
    python = inspect.signature(api.bench).parameters
    command = cli.get_command(click.Context(cli), "bench")
    given = command.make_context("bench", ["net.onnx"]).params
    for name in given.keys() - {"path", "as_json"}:
        assert given[name] == python[name].default
