"""Budgets: what a file says, and what is said of a mistake in one."""

import pytest

from edgenn.drift.budget import default_budget, read_budget
from edgenn.drift.budget.schema import TASKS, Limit
from edgenn.errors import UsageError

GOOD = """\
[default]
accuracy = { of_keras = 0.98 }
top1_agreement = { min = 0.95, when = "unlabelled" }

[scheme.float32]
max_abs_of_range = { max = 1e-3 }

[target.tflite-micro]
accuracy = { of_keras = 0.97 }

[target.cpu-xnnpack.scheme.int8]
rmse = { of_baseline = 1.2 }
accuracy = { of_keras = 0.9 }

[layers]
excess = { max = 4 }

[layers."block/conv_2"]
excess = { max = 40 }
"""


def read(tmp_path, text, targets=()):
    path = tmp_path / "budget.toml"
    path.write_text(text, encoding="utf-8")
    return read_budget(path, targets)


def limits(budget, target, scheme, kind="limit"):
    return {name: line.limit for name, line in budget.lines_for(target, scheme, kind).items()}


def test_the_most_special_line_holds(tmp_path):
    budget = read(tmp_path, GOOD)
    shares = {
        (target, scheme): limits(budget, target, scheme)["accuracy"].of_keras
        for target in ("cpu-xnnpack", "tflite-micro", "cpu-reference")
        for scheme in ("float32", "int8")
    }
    assert shares == {
        ("cpu-xnnpack", "float32"): 0.98,
        ("cpu-xnnpack", "int8"): 0.9,
        ("tflite-micro", "float32"): 0.97,
        ("tflite-micro", "int8"): 0.97,
        ("cpu-reference", "float32"): 0.98,
        ("cpu-reference", "int8"): 0.98,
    }


def test_a_files_general_line_holds_over_a_special_one_of_the_default(tmp_path):
    budget = read(tmp_path, "[default]\nmax_abs_of_range = { max = 0.5 }\n")
    assert limits(budget, "gpu-fp16", "float32")["max_abs_of_range"] == Limit(max=0.5)
    assert limits(default_budget(), "gpu-fp16", "float32")["max_abs_of_range"].max == 0.01
    assert limits(default_budget(), "cpu-xnnpack", "float32")["max_abs_of_range"].max == 1e-4


def test_what_a_file_leaves_out_is_the_defaults(tmp_path):
    budget = read(tmp_path, GOOD)
    assert limits(budget, "cpu-reference", "int8")["sqnr_db"].min == 10
    assert limits(budget, "cpu-reference", "int8", "baseline")["rmse"].of_baseline == 1.1
    assert limits(budget, "cpu-xnnpack", "int8", "baseline")["rmse"].of_baseline == 1.2


def test_task_is_every_task_metric_unless_one_is_named(tmp_path):
    assert set(TASKS) < set(limits(default_budget(), "cpu-xnnpack", "int8"))
    named = limits(read(tmp_path, GOOD), "cpu-xnnpack", "int8")
    assert set(named) & set(TASKS) == {"accuracy"}
    # a baseline's line is another matter: the default's stays
    assert set(TASKS) < set(limits(read(tmp_path, GOOD), "cpu-xnnpack", "int8", "baseline"))
    all_but_one = limits(read(tmp_path, '[default]\nf1 = "off"\n'), "cpu-xnnpack", "int8")
    assert set(all_but_one) & set(TASKS) == set(TASKS) - {"f1"}
    assert not set(TASKS) & set(
        limits(read(tmp_path, '[default]\ntask = "off"\n'), "cpu-xnnpack", "int8")
    )


def test_off_for_one_scheme(tmp_path):
    budget = read(tmp_path, '[scheme.int8]\nsqnr_db = "off"\n')
    assert "sqnr_db" not in limits(budget, "cpu-xnnpack", "int8")
    assert "sqnr_db" in limits(budget, "cpu-xnnpack", "int16x8")


def test_layers(tmp_path):
    budget = read(tmp_path, GOOD)
    assert budget.limit_of_layer("excess", "conv_1").limit == 4
    assert budget.limit_of_layer("excess", "block/conv_2").limit == 40
    assert budget.limit_of_layer("total", "conv_1") is None
    assert read(tmp_path, '[layers]\nexcess = "off"\n').limit_of_layer("excess", "conv_1") is None
    assert default_budget().limit_of_layer("excess", "conv_1").source == "default"


def test_sources_and_names(tmp_path):
    budget = read(tmp_path, GOOD)
    assert budget.name == str(tmp_path / "budget.toml")
    line = budget.lines_for("cpu-xnnpack", "int8", "limit")["accuracy"]
    assert line.source == "budget.toml [target.cpu-xnnpack.scheme.int8]"
    assert default_budget().name == "default"


def test_what_needs_a_baseline(tmp_path):
    assert read(tmp_path, GOOD).needs_baseline == "budget.toml [target.cpu-xnnpack.scheme.int8]"
    assert read(tmp_path, "[default]\nrmse = { max = 1.0 }\n").needs_baseline == ""
    assert default_budget().needs_baseline == ""


def test_targets_of_ones_own(tmp_path):
    text = "[target.my-board]\nrmse = { max = 1.0 }\n"
    assert limits(read(tmp_path, text, ["my-board"]), "my-board", "int8")["rmse"].max == 1
    with pytest.raises(UsageError, match=r"line 1: unknown target 'my-board'"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("top1_agreement =", "top1_agrement =", 3, ["metric 'top1_agrement'", "top1_agreement"]),
        ("tflite-micro", "tflite-mikro", 8, ["unknown target 'tflite-mikro'", "tflite-micro"]),
        ("scheme.float32", "scheme.float23", 5, ["unknown scheme 'float23'", "float32"]),
        ("scheme.int8", "scheme.int9", 11, ["unknown scheme 'int9'", "int8"]),
        ("[scheme.", "[schema.", 5, ["unknown table 'schema'", "scheme"]),
        ("of_keras = 0.98", "of_kears = 0.98", 2, ["'default.accuracy.of_kears'", "of_keras"]),
        ("of_keras = 0.98", 'of_keras = "x"', 2, ["default.accuracy.of_keras", "valid number"]),
        ("of_keras = 0.98", "of_keras = -1", 2, ["default.accuracy.of_keras", "greater than 0"]),
        ("of_keras = 0.98", "of_keras = 98", 2, ["'accuracy' is 98", "write 99 % as 0.99"]),
        ("of_keras = 0.98", "max = 0.98", 2, ["better when higher", "give min"]),
        ("{ of_keras = 0.98 }", "{}", 2, ["'accuracy' has no limit", "of_baseline"]),
        ("{ of_keras = 0.98 }", "0.98", 2, ["'default.accuracy' is 0.98", "off"]),
        ("min = 0.95", "min = 95", 3, ["'top1_agreement' is a share", "95 % as 0.95"]),
        ('"unlabelled"', '"unlabeled"', 3, ["default.top1_agreement.when", "'unlabelled'"]),
        ("{ max = 1e-3 }", "{ min = 1e-3 }", 6, ["better when lower", "give max"]),
        ("{ max = 1e-3 }", "{ of_keras = 0.9 }", 6, ["a distance from Keras", "give max"]),
        ("of_baseline = 1.2", "of_baseline = 120", 12, ["'rmse' is 120", "99 % as 0.99"]),
        ("excess = { max = 4 }", "exces = { max = 4 }", 16, ["unknown number 'exces'", "excess"]),
        ("excess = { max = 4 }", "excess = { min = 4 }", 16, ["'excess'", "{ max = 3 }"]),
        ("excess = { max = 40 }", "exces = { max = 40 }", 19, ["unknown number 'exces'"]),
        ("[default]", "default = 3\n[scheme.int8]", 1, ["'default' is no table"]),
    ],
)
def test_mistakes(tmp_path, old, new, line, words):
    assert old in GOOD
    with pytest.raises(UsageError) as error:
        read(tmp_path, GOOD.replace(old, new, 1))
    assert f"budget.toml, line {line}: " in str(error.value)
    for word in words:
        assert word in str(error.value)


def test_task_has_no_number_of_its_own(tmp_path):
    with pytest.raises(UsageError, match=r"line 2: 'task' stands for several.*of_keras"):
        read(tmp_path, "[default]\ntask = { min = 0.9 }\n")


def test_no_file(tmp_path):
    with pytest.raises(UsageError, match=r"the budget .*none.toml cannot be read: No such file"):
        read_budget(tmp_path / "none.toml")
