import numpy as np
import pytest

from edgenn.errors import DataError
from edgenn.export.tflite.exporter import to_tflite
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph
from edgenn.ir.operator import Activation, Padding
from edgenn.ir.ops import Add, Conv2D, Log
from edgenn.runners.calibration import collect_statistics


def small_graph() -> Graph:
    rng = np.random.default_rng(0)
    builder = GraphBuilder("m")
    x = builder.input("image", (None, 5, 4, 3))
    kernel = builder.constant("k", rng.normal(size=(6, 3, 3, 3)).astype(np.float32))
    conv = Conv2D(padding=Padding.SAME, activation=Activation.RELU)
    y = builder.add(conv, [x, kernel], "conv")
    return builder.finish({"y": builder.add(Add(), [y, y], "double")})


def test_statistics_are_those_of_the_numpy_evaluation() -> None:
    graph = small_graph()
    rng = np.random.default_rng(1)
    samples = [rng.normal(size=(n, 5, 4, 3)).astype(np.float32) for n in (3, 3, 1)]
    seen = collect_statistics(
        graph,
        [{"image": part} for part in samples],
        to_tflite,
        histogram=True,
        means={"conv"},
        magnitudes={"conv"},
    )
    expected = evaluate(graph, {"image": np.concatenate(samples)})
    assert set(seen) == {"image", "conv", "double"}
    for name, values in expected.items():
        assert seen[name].low == pytest.approx(values.min(), abs=1e-5)
        assert seen[name].high == pytest.approx(values.max(), abs=1e-5)
        assert seen[name].counts.sum() > 0
    rows = expected["conv"].reshape(-1, 6)
    assert seen["conv"].means == pytest.approx(rows.mean(axis=0), abs=1e-5)
    assert seen["conv"].magnitudes == pytest.approx(rows.max(axis=0), abs=1e-5)


def test_a_tensor_that_becomes_nan_is_named() -> None:
    builder = GraphBuilder("m")
    x = builder.input("x", (None, 2))
    graph = builder.finish({"y": builder.add(Log(), [x], "logarithm")})
    batches = [{"x": np.array([[1.0, -1.0]], np.float32)}]
    with pytest.raises(DataError, match="'logarithm'"):
        collect_statistics(graph, batches, to_tflite)
