"""What calibration sees of recurrent layers: every step, in LiteRT as in NumPy."""

from dataclasses import replace

import numpy as np
import pytest
from support.integer_networks import in_integers, seen_in_numpy
from support.recurrent import recurrent_graph, recurrent_inputs

from edgenn import compiler
from edgenn.compiler import QuantizationOptions
from edgenn.ir.ops import Gru, Lstm
from edgenn.ir.ops.fused_lstm import FusedLstm
from edgenn.quantization.schemes import Gates, Scheme

STEPS = 9
SUMS = {
    "lstm": ("projected", "cell/total", "cell/input_sum", "cell/candidate_sum", "cell/output_sum"),
    "gru": ("projected", "cell/update_sum", "cell/reset_sum", "cell/candidate_sum"),
}
OPERATORS = {"lstm": Lstm(units=4), "gru": Gru(units=4)}


def quiet(graph, spike: int | None = None):
    """Small numbers, but for one step of one sample."""
    inputs = recurrent_inputs(graph, batch=4, steps=STEPS)
    inputs["x"] *= np.float32(0.1)
    if spike is not None:
        inputs["x"][2, spike] = 20
    return inputs


def statistics(graph, samples, gates=Gates.INT16):
    options = QuantizationOptions(gates=gates, equalization=False)
    (entry,) = compiler.calibrated(graph, samples, [Scheme.INT8], options).values()
    return entry.statistics


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("name", OPERATORS)
def test_a_spike_at_any_step_widens_what_it_reaches(name, reverse):
    graph = recurrent_graph(replace(OPERATORS[name], reverse=reverse), steps=STEPS, outputs=("h",))
    before = statistics(graph, quiet(graph))
    for spike in (0, 4, STEPS - 1):
        after = statistics(graph, quiet(graph, spike))
        for part in SUMS[name]:
            ranges = [seen[f"rnn/sequence/{part}"].range for seen in (before, after)]
            widths = [range_.high - range_.low for range_ in ranges]
            assert widths[1] > 4 * widths[0], (part, spike)


def test_a_late_spike_widens_the_cell_state_alone():
    """The last step's cell state, which nothing but the output of that step reads."""
    graph = recurrent_graph(Lstm(units=4), steps=STEPS, outputs=("h",))
    before, after = (statistics(graph, quiet(graph, spike)) for spike in (None, STEPS - 1))
    cells = [seen["rnn/sequence/cell/cell"].range for seen in (before, after)]
    assert cells[1].high - cells[1].low > 1.4 * (cells[0].high - cells[0].low)


@pytest.mark.parametrize("masked", [False, True])
def test_equals_what_numpy_sees(masked, monkeypatch):
    graph = recurrent_graph(Lstm(units=4, masked=masked), outputs=("sequence", "c"))
    samples = recurrent_inputs(graph, batch=40, steps=STEPS)
    theirs = statistics(graph, samples)
    monkeypatch.setattr(compiler, "collect_statistics", seen_in_numpy)
    ours = statistics(graph, samples)
    assert ours.keys() == theirs.keys()
    for name, seen in ours.items():
        extremes = (theirs[name].low, theirs[name].high)
        assert (seen.low, seen.high) == pytest.approx(extremes, abs=1e-5), name


def test_outputs_of_a_fused_lstm_are_those_of_all_steps():
    """The model reads the last output, which is small; the op's own state was larger before."""
    graph = recurrent_graph(Lstm(units=4), steps=STEPS, outputs=("h",))
    samples = quiet(graph, 4)
    integers = in_integers(graph, samples, "fused")
    (op,) = (op for op in integers.ops if isinstance(op.operator, FusedLstm))
    (scale,) = integers.tensors[op.output].quantization.scale
    seen = statistics(graph, samples, Gates.FUSED)
    hidden, last = (seen[name].range for name in ("rnn/sequence/cell/hidden", "rnn/h"))
    assert hidden.high - hidden.low > 1.4 * (last.high - last.low)
    assert scale == pytest.approx((hidden.high - hidden.low) / 255, rel=1e-4)
