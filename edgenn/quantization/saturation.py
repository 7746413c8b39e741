"""Ranges of what flows into softmax, logistic and tanh: judged by what comes out.

These functions flatten far from where they decide. A grid that spans every logit that was seen
spends its steps where nothing changes: among all grids tried, the one is taken whose function
values differ least from the float ones, on rows kept from the calibration data.
"""

from collections.abc import Callable, Mapping
from itertools import product
from typing import Final

import numpy as np

from edgenn.ir.graph import Graph
from edgenn.ir.operator import Operator
from edgenn.ir.ops import Logistic, Softmax, Tanh
from edgenn.ir.tensor import INTEGER_RANGES, Array
from edgenn.quantization.assignment import TensorFormats
from edgenn.quantization.parameters import Range, activation_quantization
from edgenn.quantization.schemes import IntegerFormat
from edgenn.quantization.statistics import Statistics

SATURATING: Final[tuple[type[Operator], ...]] = (Softmax, Logistic, Tanh)
SHARES: Final = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2)
"""Of the seen range, tried for either end."""
DRAWN_VALUES: Final = 1 << 16
TOLERATED: Final = 1.1
"""Harm over the least that still counts as good."""


def saturating_inputs(graph: Graph) -> dict[str, Operator]:
    """Tensors that one saturating operator alone reads → that operator."""
    found = {}
    for op in graph.ops:
        if isinstance(op.operator, SATURATING):
            (name,) = op.inputs
            is_border = name in graph.inputs.values() or graph.is_output(name)
            if not is_border and len(graph.consumers[name]) == 1:
                found[name] = op.operator
    return found


def saturated_ranges(
    graph: Graph, statistics: Mapping[str, Statistics], formats: TensorFormats
) -> dict[str, Range]:
    """The range of each of ``saturating_inputs`` of which rows were kept."""
    return {
        name: least_harmful(
            statistics[name],
            evaluation(operator),
            formats(name),
            # two logits above the range would tie, and the wrong one could win
            clips_above=not isinstance(operator, Softmax),
        )
        for name, operator in saturating_inputs(graph).items()
        if statistics[name].kept_rows.size
    }


def evaluation(operator: Operator) -> Callable[[Array], Array]:
    return lambda rows: operator.evaluate([rows])[0]


def least_harmful(
    statistics: Statistics,
    function: Callable[[Array], Array],
    format_: IntegerFormat,
    *,
    clips_above: bool,
) -> Range:
    """The range whose grid is expected to change the function's values least, in mean square.

    Clipping is taken as it falls on the kept rows; rounding as uniform noise of one step, drawn
    several times, so that no grid wins because a few rows happen to lie on it.
    """
    whole, rows = statistics.range, statistics.kept_rows
    draws = max(1, DRAWN_VALUES // rows.size)
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (draws, *rows.shape)).astype(np.float32)
    exact = function(rows)

    def harm(range_: Range) -> float:
        grid = activation_quantization(range_, format_.activation, symmetric=format_.symmetric)
        low, high = grid.dequantize(np.array(INTEGER_RANGES[format_.activation]))
        changed = function(np.clip(rows, low, high) + noise * grid.scale[0])
        return float(np.square(changed - exact).mean())

    lows = SHARES if whole.low < 0 else (1.0,)
    highs = SHARES if whole.high > 0 and clips_above else (1.0,)
    candidates = [Range(whole.low * low, whole.high * high) for low, high in product(lows, highs)]
    harms = [harm(candidate) for candidate in candidates]
    # data to come reach further than what was seen: of grids as good, the widest
    good = [c for c, h in zip(candidates, harms, strict=True) if h <= TOLERATED * min(harms)]
    return max(good, key=lambda range_: range_.high - range_.low)
