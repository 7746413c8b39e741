import numpy as np
import pytest
from support.fused_lstm import float_weights, lstm_graph, sequences

from edgenn.export.tflite.exporter import to_tflite
from edgenn.ir.evaluator import evaluate
from edgenn.ir.ops.fused_lstm import FusedLstm
from edgenn.runners.calibration import collect_statistics


def test_calibration_forgets_one_batch_before_the_next():
    rng = np.random.default_rng(2)
    graph = lstm_graph(FusedLstm(), (None, None, 3), float_weights(rng, 3, 4))
    batches = [sequences(rng, n, 5, 3) for n in (3, 3, 1)]
    seen = collect_statistics(graph, [{"x": batch} for batch in batches], to_tflite)
    expected = [evaluate(graph, {"x": batch})["y0"] for batch in batches]
    assert seen["y0"].low == pytest.approx(min(y.min() for y in expected), abs=1e-5)
    assert seen["y0"].high == pytest.approx(max(y.max() for y in expected), abs=1e-5)
