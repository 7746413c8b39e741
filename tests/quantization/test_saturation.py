import numpy as np
import pytest

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.ops import Add, Logistic, Softmax, Tanh
from edgenn.quantization.parameters import activation_quantization
from edgenn.quantization.saturation import saturated_ranges, saturating_inputs
from edgenn.quantization.schemes import INTEGER_FORMATS, Scheme
from edgenn.quantization.statistics import KEPT_VALUES, Statistics

INT8 = INTEGER_FORMATS[Scheme.INT8]


def classifier(operator):
    builder = GraphBuilder("m")
    x = builder.input("x", (None, 4))
    logits = builder.add(Add(), [x, x], "logits")
    return builder.finish({"y": builder.add(operator, [logits], "y")})


@pytest.mark.parametrize("operator", [Softmax(), Logistic(), Tanh()])
def test_the_chosen_grid_is_no_worse_than_the_whole_range(operator):
    rng = np.random.default_rng(0)
    rows = (rng.normal(size=(400, 4)) * rng.choice([1, 25], size=(400, 1))).astype(np.float32)
    statistics = Statistics(keep_rows=True)
    statistics.update(rows)
    graph = classifier(operator)
    assert set(saturating_inputs(graph)) == {"logits"}
    chosen = saturated_ranges(graph, {"logits": statistics}, lambda _: INT8)["logits"]

    def harm(range_):
        grid = activation_quantization(range_, "int8", symmetric=False)
        rounded = grid.dequantize(grid.quantize(rows, "int8"))
        return np.square(operator.evaluate([rounded])[0] - operator.evaluate([rows])[0]).mean()

    assert harm(chosen) < 0.6 * harm(statistics.range)


def test_a_tensor_with_other_readers_keeps_its_range():
    builder = GraphBuilder("m")
    x = builder.input("x", (None, 4))
    logits = builder.add(Add(), [x, x], "logits")
    y = builder.add(Softmax(), [logits], "y")
    graph = builder.finish({"y": y, "logits": logits})
    assert saturating_inputs(graph) == {}
    assert saturating_inputs(builder.finish({"y": builder.add(Softmax(), [x], "z")})) == {}


def test_kept_rows_are_evenly_spread_whole_rows_in_bounded_memory():
    statistics = Statistics(keep_rows=True)
    numbers = np.arange(100_000, dtype=np.float32)
    rows = np.stack([numbers, -numbers], axis=1)
    for part in np.array_split(rows, 37):
        statistics.update(part)
    kept = statistics.kept_rows
    assert KEPT_VALUES / 4 <= kept.size <= KEPT_VALUES
    assert np.array_equal(kept[:, 0], -kept[:, 1])
    assert len(np.unique(np.diff(kept[:, 0]))) == 1
