import math

from edgenn.drift.budget import default_budget, judge_layers, read_budget
from edgenn.drift.explain.excess import LIMIT
from edgenn.drift.explain.report import LayerError


def layer(name, excess, total=0.01):
    return LayerError(name, "conv_2d", 0.01, 0.0, total, excess)


def test_layers_beyond_the_limit_the_worst_first():
    layers = [layer("a", 1.1), layer("b", 4.0), layer("c", 40.0), layer("d", math.nan)]
    verdicts = judge_layers(layers, default_budget())
    assert [(v.metric, v.output, v.passed) for v in verdicts] == [
        ("excess", "d", False),
        ("excess", "c", False),
        ("excess", "b", False),
    ]
    assert verdicts[1].value == 40 and verdicts[1].limit == LIMIT
    assert verdicts[1].rule == "excess ≤ 2: its own error in units of what rounding explains"


def test_where_all_is_well_the_one_that_is_nearest_to_the_limit():
    (verdict,) = judge_layers([layer("a", 1.1), layer("b", 1.4)], default_budget())
    assert (verdict.output, verdict.passed) == ("b", True)
    assert judge_layers([], default_budget()) == ()


def test_a_layer_of_its_own(tmp_path):
    path = tmp_path / "budget.toml"
    path.write_text('[layers]\ntotal = { max = 0.1 }\n[layers."head/dense"]\nexcess = "off"\n')
    layers = [layer("head/dense", 99.0, total=0.2), layer("a", 1.0)]
    verdicts = judge_layers(layers, read_budget(path))
    assert [(v.metric, v.output, v.passed, v.source) for v in verdicts] == [
        ("excess", "a", True, "default"),
        ("total", "head/dense", False, "budget.toml [layers]"),
    ]
