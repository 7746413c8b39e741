"""What is rewritten for Ethos-U: the numbers of LiteRT stay, those of TOSA come near them."""

import numpy as np
import pytest
from support.artifacts import write_tflite
from support.npu import one_input, spread_logits
from support.one_op import assert_equals_litert, random_inputs

from edgenn.errors import UnavailableError
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.evaluator import evaluate
from edgenn.ir.ops import Add, Logistic, Mean, Tanh
from edgenn.ir.tensor import Quantization
from edgenn.lowering.ethos_u import for_ethos_u
from edgenn.runners import LiteRTReferenceRunner
from edgenn.runners.tosa_reference import TosaReferenceRunner
from edgenn.runners.vela import VelaRunner

WIDE = 40 / 32767
GATES = pytest.mark.parametrize("operator", [Logistic(), Tanh()], ids=lambda op: op.kind)


def kinds(graph):
    return [op.kind for op in graph.ops]


def outputs(graph, inputs):
    values = evaluate(graph, inputs)
    return {public: values[name] for public, name in graph.outputs.items()}


@GATES
def test_a_wide_gate_is_clipped(operator):
    graph = one_input(operator, 1, 64, dtype="int16", scale=WIDE)
    rewritten = for_ethos_u(graph)
    assert kinds(rewritten) == ["quantize", operator.kind]
    inputs = random_inputs(graph, np.random.default_rng(0))
    assert_equals_litert(rewritten, inputs)
    before, after = outputs(graph, inputs)["y0"], outputs(rewritten, inputs)["y0"]
    assert np.abs(before.astype(int) - after.astype(int)).max() <= 12  # one step of the input


@GATES
def test_a_narrow_gate_stays(operator):
    graph = one_input(operator, 1, 64, dtype="int16", scale=8 / 32767)
    assert for_ethos_u(graph).ops == graph.ops


def test_a_gate_of_8_bits_stays():
    graph = one_input(Tanh(), 1, 64, scale=0.5)
    assert for_ethos_u(graph).ops == graph.ops


@pytest.mark.parametrize("shared", [False, True])
def test_a_sum_for_one_gate_is_clipped_itself(shared):
    builder = GraphBuilder("gate")
    wide = Quantization.per_tensor(WIDE)
    names = [builder.input(name, (1, 16), "int16") for name in ("a", "b")]
    total = builder.add(Add(), names, "sum")
    gated = builder.add(Tanh(), [total], "gate")
    for name in (*names, total):
        builder.tensors[name] = builder.tensors[name].with_(quantization=wide)
    made = Tanh.output_rule.for_dtype("int16")
    builder.tensors[gated] = builder.tensors[gated].with_(quantization=made)
    graph = builder.finish({"y": gated, **({"sum": total} if shared else {})})
    rewritten = for_ethos_u(graph)
    assert kinds(rewritten) == (["add", "quantize", "tanh"] if shared else ["add", "tanh"])
    assert (rewritten.tensors["sum"].quantization == wide) is shared
    assert_equals_litert(rewritten, random_inputs(graph, np.random.default_rng(0)))


@pytest.mark.parametrize("batch", [None, 2])
@pytest.mark.parametrize("keep_dims", [False, True])
def test_a_mean_over_channels_is_one_over_rows(batch, keep_dims):
    graph = one_input(Mean((3,), keep_dims), batch, 4, 5, 6)
    rewritten = for_ethos_u(graph)
    assert kinds(rewritten) == ["reshape", "mean", "reshape"]
    inputs = random_inputs(graph, np.random.default_rng(0))
    assert_equals_litert(rewritten, inputs)
    np.testing.assert_array_equal(outputs(rewritten, inputs)["y0"], outputs(graph, inputs)["y0"])


@pytest.mark.parametrize(
    ("axes", "shape"), [((1, 2), (1, 4, 5, 6)), ((2,), (1, 5, 6)), ((3,), (1, 1, 5, 6))]
)
def test_other_means_stay(axes, shape):
    graph = one_input(Mean(axes), *shape)
    assert for_ethos_u(graph).ops == graph.ops


def test_vela_has_the_mean_over_rows(tmp_path):
    pytest.importorskip("ethosu.vela", reason="edgenn targets install vela")
    graph = one_input(Mean((3,), True), 1, 4, 5, 6)
    runner = VelaRunner({"accelerator": "ethos-u55-128"})
    paths = [
        write_tflite(g, tmp_path, f"{i}.tflite") for i, g in enumerate((graph, for_ethos_u(graph)))
    ]
    left = [runner.estimate(path).facts.fallbacks for path in paths]
    assert [len(ops) for ops in left] == [1, 0]


@GATES
def test_the_interpolation_of_tosa_costs_little(tmp_path, operator):
    runner = TosaReferenceRunner()
    try:
        runner.require_available()
    except UnavailableError as error:
        pytest.skip(str(error))
    graph = one_input(operator, 1, 64, dtype="int16", scale=WIDE)
    samples = {"x": spread_logits(WIDE, "int16", 64)}
    apart = []
    for index, each in enumerate((graph, for_ethos_u(graph))):
        path = write_tflite(each, tmp_path, f"{index}.tflite")
        ours, theirs = (r.run(path, samples).outputs for r in (runner, LiteRTReferenceRunner()))
        apart.append(np.abs(ours["y0"] - theirs["y0"]).max() * 32768)
    assert apart[0] > 2 * apart[1]
    assert apart[1] <= 8
