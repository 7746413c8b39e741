import numpy as np
import pytest
from support.rewriting import kinds

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph
from edgenn.ir.operator import Padding
from edgenn.ir.ops import AveragePool2D
from edgenn.passes.global_pooling import GlobalPooling


def pooled(size: tuple[int, int], strides: tuple[int, int], padding: Padding) -> Graph:
    builder = GraphBuilder("m")
    x = builder.input("x", (None, 6, 5, 3))
    pool = AveragePool2D(size, strides, padding)
    return builder.finish({"y": builder.add(pool, [x], "pool")})


@pytest.mark.parametrize("padding", list(Padding))
def test_a_window_over_everything_is_a_mean(padding: Padding) -> None:
    before = pooled((6, 5), (6, 5), padding)
    after = GlobalPooling()(before)
    assert kinds(after) == ["mean"]
    x = {"x": np.random.default_rng(0).normal(size=(2, 6, 5, 3)).astype(np.float32)}
    assert np.allclose(evaluate(before, x)["pool"], evaluate(after, x)["pool"], atol=1e-6)


@pytest.mark.parametrize(
    ("size", "strides", "padding"),
    [
        ((3, 5), (3, 5), Padding.VALID),  # two windows
        ((6, 4), (6, 5), Padding.VALID),  # leaves a column out
        ((7, 5), (7, 5), Padding.SAME),  # larger than the image
        ((6, 5), (2, 2), Padding.SAME),  # several windows, padded
    ],
)
def test_other_windows_stay(
    size: tuple[int, int], strides: tuple[int, int], padding: Padding
) -> None:
    assert kinds(GlobalPooling()(pooled(size, strides, padding))) == ["average_pool_2d"]
