"""Budgets held against rungs."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenn.drift.budget import Baseline, Stored, default_budget, judge, read_budget
from edgenn.drift.budget.judging import share_at_best
from edgenn.drift.report import Rung

KERAS = {"y": {"accuracy": 0.987, "f1": None}}


def rung(values, *, scheme="int8", target="cpu-xnnpack", interval=None, samples=400):
    intervals = {} if interval is None else {"y": interval}
    return Rung(
        f"net.{scheme}.tflite",
        scheme,
        target,
        metrics={"y": values},
        intervals=intervals,
        samples=samples,
    )


def budget_of(tmp_path, text):
    path = tmp_path / "budget.toml"
    path.write_text(text)
    return read_budget(path)


def baseline(values, label="int8 cpu-xnnpack"):
    return Baseline("net", "", "", "0.1.0", {label: Stored(400, {"y": values})})


def only(verdicts):
    (verdict,) = verdicts
    return verdict


def test_worse_than_keras():
    verdict = only(judge(rung({"accuracy": 0.9}), default_budget(), KERAS))
    assert (verdict.metric, verdict.output, verdict.value) == ("accuracy", "y", 0.9)
    assert verdict.limit == pytest.approx(0.99 * 0.987)
    assert not verdict.passed
    assert verdict.source == "default"
    assert verdict.rule == "accuracy ≥ 97.71 %, 99 % of Keras's 98.7 %: worse by 8.7 %"


@pytest.mark.parametrize(
    ("interval", "passed", "rule"),
    [
        # −1.5 % ± 1 %: at best −0.5 %, which is within 0.987 %
        ((-0.025, -0.005), True, ": worse by 1.5 % ± 1 %, which may be chance"),
        # −1.5 % ± 0.2 %: even at best −1.3 %
        ((-0.017, -0.013), False, ": worse by 1.5 % ± 0.2 %"),
    ],
)
def test_a_regression_is_one_that_is_not_chance(interval, passed, rule):
    given = rung({"accuracy": 0.972}, interval={"accuracy": interval})
    verdict = only(judge(given, default_budget(), KERAS))
    assert verdict.passed is passed
    assert verdict.rule.endswith(rule)


def test_better_than_keras_is_told_without_a_difference():
    verdict = only(judge(rung({"accuracy": 0.99}), default_budget(), KERAS))
    assert verdict.passed
    assert verdict.rule == "accuracy ≥ 97.71 %, 99 % of Keras's 98.7 %"


def test_lower_is_better():
    given = rung({"mae": 0.0123}, interval={"mae": (0.0002, 0.0004)})
    verdict = only(judge(given, default_budget(), {"y": {"mae": 0.012}}))
    assert verdict.limit == pytest.approx(0.012 / 0.99)
    assert not verdict.passed  # at best 0.0122, 0.01212 is the limit
    assert "mae ≤ 0.0121, 101 % of Keras's 0.012: worse by 0.0003 ± 0.0001" in verdict.rule


def test_the_share_of_a_negative_number_is_on_its_worse_side():
    values = {"y": {"r2": -1.0}}
    assert only(judge(rung({"r2": -1.0}), default_budget(), values)).passed
    verdict = only(judge(rung({"r2": -1.02}), default_budget(), values))
    assert (verdict.limit, verdict.passed) == (pytest.approx(-1.01), False)


def test_numbers_of_a_file_are_held_to_the_letter(tmp_path):
    budget = budget_of(tmp_path, "[default]\naccuracy = { min = 0.98 }\n")
    given = rung({"accuracy": 0.979}, interval={"accuracy": (-0.5, 0.5)})
    verdict = only(judge(given, budget, KERAS))
    assert (verdict.limit, verdict.passed) == (0.98, False)
    assert verdict.rule == "accuracy ≥ 98 %"
    assert verdict.source == "budget.toml [default]"


def test_not_a_number_fails():
    (verdict,) = judge(rung({"accuracy": math.nan}), default_budget(), KERAS)
    assert not verdict.passed
    float32 = rung({"max_abs_of_range": math.nan}, scheme="float32")
    assert not only(judge(float32, default_budget(), {})).passed


def test_without_labels_classes_and_noise_decide():
    values = {"kl": 0.01, "top1_agreement": 0.8, "sqnr_db": 5.0, "accuracy": None}
    verdicts = judge(rung(values), default_budget(), {"y": {"accuracy": None}})
    assert [(v.metric, v.passed) for v in verdicts] == [
        ("sqnr_db", False),
        ("top1_agreement", False),
    ]
    assert verdicts[0].rule == "sqnr_db ≥ 10 dB"
    # where labels say how good it is, nothing else counts
    labelled = judge(rung({**values, "accuracy": 0.987}), default_budget(), KERAS)
    assert [(v.metric, v.passed) for v in labelled] == [("accuracy", True)]


def test_the_largest_number_of_a_regression_is_no_class():
    values = {"kl": None, "top1_agreement": 0.3, "sqnr_db": 15.0}
    assert [v.metric for v in judge(rung(values), default_budget(), {})] == ["sqnr_db"]


@pytest.mark.parametrize(("samples", "passed"), [(16, True), (4000, False)])
def test_a_few_samples_prove_no_disagreement(samples, passed):
    values = {"kl": 0.01, "top1_agreement": 0.9375, "sqnr_db": 30.0}
    verdicts = judge(rung(values, samples=samples), default_budget(), {})
    agreement = next(v for v in verdicts if v.metric == "top1_agreement")
    assert agreement.passed is passed
    assert agreement.rule.startswith("top1_agreement ≥ 95 %, 95 % of Keras: worse by 6.25 % ± ")


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_an_interval_of_a_share_holds_it(samples, share):
    assert share <= share_at_best(share, samples) <= 1


def test_wilson_as_published():
    # Wilson's interval for 9 of 10 (Brown, Cai & DasGupta 2001 give the formula): 0.596 … 0.982
    assert share_at_best(0.9, 10) == pytest.approx(0.98212, abs=1e-5)


def test_float_artifacts():
    values = {"max_abs_of_range": 5e-4}
    assert not only(judge(rung(values, scheme="float32"), default_budget(), {})).passed
    assert only(judge(rung(values, scheme="float16"), default_budget(), {})).passed
    on_gpu = rung(values, scheme="float32", target="gpu-fp16")
    assert only(judge(on_gpu, default_budget(), {})).passed
    graph = Rung("", "", "float graph", metrics={"y": values})
    assert not only(judge(graph, default_budget(), {})).passed


def test_baseline(tmp_path):
    given = rung({"accuracy": 0.97}, interval={"accuracy": (-0.02, -0.014)})
    then = baseline({"accuracy": 0.987})
    verdicts = judge(given, budget_of(tmp_path, '[default]\ntask = "off"\n'), KERAS, then)
    assert verdicts == ()
    verdicts = judge(given, default_budget(), KERAS, then)
    assert [(v.source, v.passed) for v in verdicts] == [
        ("default", False),
        ("baseline, default", False),
    ]
    assert "99 % of the baseline's 98.7 %: worse by 1.7 % ± 0.3 %" in verdicts[1].rule
    assert all(v.passed for v in judge(rung({"accuracy": 0.98}), default_budget(), KERAS, then))


def test_noise_against_a_baseline():
    then = baseline({"rmse": 0.010})
    values = {"sqnr_db": 30.0, "rmse": 0.0109}
    assert all(v.passed for v in judge(rung(values), default_budget(), {}, then))
    worse = judge(rung({**values, "rmse": 0.0112}), default_budget(), {}, then)
    assert [(v.metric, v.passed) for v in worse] == [("sqnr_db", True), ("rmse", False)]
    assert worse[1].rule == "rmse ≤ 0.011, 110 % of the baseline's 0.01: worse by 0.0012"
    # float32 files differ in the last bit from processor to processor
    assert not judge(rung({"rmse": 1.0}, scheme="float32"), default_budget(), {}, then)
    other = baseline({"rmse": 0.001}, label="int8 tflite-micro")
    assert len(judge(rung(values), default_budget(), {}, other)) == 1
    # slow rungs run as many samples as there is time for: numbers of others say nothing
    assert len(judge(rung(values, samples=183), default_budget(), {}, then)) == 1


def test_a_line_of_a_file_without_a_value_fails(tmp_path):
    budget = budget_of(tmp_path, "[default]\naccuracy = { min = 0.9 }\n")
    verdict = only(judge(rung({"accuracy": None}), budget, {}))
    assert not verdict.passed and verdict.value is None
    assert verdict.rule == "accuracy: no value, it needs labels that fit"
    kl = budget_of(tmp_path, "[default]\nkl = { max = 0.1 }\n")
    assert "no meaning here" in only(judge(rung({}), kl, {})).rule
    task = budget_of(tmp_path, "[default]\ntask = { of_keras = 0.9 }\n")
    assert only(judge(rung({}), task, {})).rule == "task: no value, it needs labels that fit"
    assert only(judge(rung({"accuracy": 0.95}), task, KERAS)).passed


def test_a_rung_that_failed_has_no_verdicts():
    failed = Rung("net.int8.tflite", "int8", "cpu-xnnpack", findings=("crashed",), exit_code=5)
    assert judge(failed, default_budget(), KERAS) == ()
