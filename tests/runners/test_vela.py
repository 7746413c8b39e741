"""Arm's compiler for Ethos-U: what it says of files, in terms of the files."""

from dataclasses import replace

import numpy as np
import pytest
from support.artifacts import conv_graph, int8_conv_graph, write_tflite
from support.fused_lstm import float_weights, lstm_graph
from support.npu import one_input
from support.real_models import REAL_MODELS, real

import edgenn
from edgenn.errors import ArtifactError, UnsupportedError, UsageError
from edgenn.ir.ops import ArgMax, ReduceProd, Reverse, Softmax
from edgenn.ir.ops.fused_lstm import FusedLstm
from edgenn.runners import LayerCost
from edgenn.runners.vela import VelaRunner
from edgenn.runners.vela_words import fallbacks, gathered

ACCELERATORS = ("ethos-u55-128", "ethos-u55-256", "ethos-u65-256", "ethos-u85-256")
CONV_MACS = 4 * 4 * 3 * 3 * 3 * 2
"""Of ``conv_graph``: positions × channels × window × depth."""

SAID = """\
Tensor 'x' has a dynamic signature in axis 0. Setting shape axis 0 to 1 and proceeding.

Warning (supported operators) operator: RESIZE_BILINEAR, ofm: 'up'
Reason: Scaling matches and operation has unsupported scale-factor=4
IF not (IFM H == IFM W == 1) AND not IFM Shape == OFM Shape:
  - IF W Scale-factor != H Scale-factor:
    - OFM W or H must be 1, and scaling in the dim that is must also be 1

Warning (supported operators) operator: MEAN, ofm: 'norm/mean'
Reason: Unsupported depth-reduction.  IFM: 1, 8, 8, 4
Reduction over depth is only supported if any of h,w,c == 1

Warning (supported operators) operator: CAST, ofm: 'mish/int32'
Reason: Unsupported opType

################################################################################
Performance for NPU Grap out
"""
"""Vela 5.2.0's words on a file of three such ops, from the last to the first."""


@pytest.fixture(autouse=True)
def vela():
    return pytest.importorskip("ethosu.vela", reason="edgenn targets install vela")


@pytest.fixture(scope="module")
def estimate():
    runners = {}

    def estimate_(graph_or_path, folder, accelerator="ethos-u55-128"):
        runner = runners.setdefault(accelerator, VelaRunner({"accelerator": accelerator}))
        path = graph_or_path
        if not hasattr(path, "suffix"):
            path = write_tflite(graph_or_path, folder)
        return runner.__enter__().estimate(path)

    yield estimate_
    for runner in runners.values():
        runner.__exit__(None, None, None)


@pytest.mark.parametrize("accelerator", ACCELERATORS)
def test_integers_run_on_the_npu(tmp_path, estimate, accelerator):
    result = estimate(int8_conv_graph(1), tmp_path, accelerator)
    facts = result.facts
    assert result.version.startswith("ethos-u-vela ")
    assert result.outputs == {} and result.latency_ms is None
    assert facts.fallbacks == ()
    assert facts.macs == facts.accelerator_macs == 4 * 4 * 3 * 2
    assert facts.accelerator_share == 1
    assert facts.cycles > 0 and facts.flash_bytes > 0
    assert [(cost.layer, cost.op) for cost in facts.layers] == [("y", "CONV_2D")]


def test_more_multipliers_take_fewer_cycles(tmp_path, estimate):
    path = real_int8("image classification", tmp_path)
    slow, fast = (estimate(path, tmp_path, name).facts for name in ACCELERATORS[:2])
    assert fast.cycles < slow.cycles
    assert fast.macs == slow.macs


def test_floats_run_on_the_cpu_and_their_work_is_counted(tmp_path, estimate):
    facts = estimate(conv_graph(1), tmp_path).facts
    (left,) = facts.fallbacks
    assert (left.op, left.layer) == ("CONV_2D", "conv")
    assert "unsupported DataType Float32" in left.reason
    assert (facts.accelerator_macs, facts.macs) == (0, CONV_MACS)
    assert facts.accelerator_share == 0
    assert facts.layers == ()


@pytest.mark.parametrize(("accelerator", "left"), [("ethos-u55-128", 1), ("ethos-u85-256", 0)])
def test_accelerators_differ_in_their_ops(tmp_path, estimate, accelerator, left):
    facts = estimate(one_input(Reverse((1,)), 1, 6, 4), tmp_path, accelerator).facts
    assert len(facts.fallbacks) == left
    for op in facts.fallbacks:
        assert op.op == "REVERSE_V2"
        assert op.reason == "Unsupported reverse mask. Axis attribute is not supported."


def test_an_op_that_no_accelerator_has(tmp_path, estimate):
    facts = estimate(one_input(ReduceProd((1,)), 1, 6, 4), tmp_path).facts
    assert [(op.op, op.reason) for op in facts.fallbacks] == [("REDUCE_PROD", "Unsupported opType")]


def test_many_ops_of_vela_are_one_of_the_file(tmp_path, estimate):
    facts = estimate(one_input(Softmax(), 1, 10), tmp_path).facts
    (cost,) = facts.layers
    assert (cost.layer, cost.op) == ("y0", "SOFTMAX")
    assert cost.cycles == facts.cycles
    assert 0 < cost.utilization < 1


def test_a_fused_lstm_is_one_layer(tmp_path, estimate):
    folder = tmp_path / "bundle"
    model = lstm_model()
    samples = np.random.default_rng(1).normal(size=(20, 6, 4)).astype(np.float32)
    bundle = edgenn.convert(
        model, folder, formats=["tflite"], quantize=["int8"], rnn="fused", batch=1,
        calibration=samples,
    )  # fmt: skip
    facts = estimate(bundle.file(bundle.manifest.artifacts[0].file), tmp_path).facts
    assert facts.accelerator_share == 1 and facts.fallbacks == ()
    (lstm,) = (cost for cost in facts.layers if cost.op == "UNIDIRECTIONAL_SEQUENCE_LSTM")
    assert lstm.macs > 6 * 4 * 8 * (4 + 8)  # steps × gates × units × inputs
    assert sum(cost.cycles for cost in facts.layers) <= facts.cycles


def lstm_model():
    import keras

    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 4), name="x")
    return keras.Model(inputs, keras.layers.LSTM(8, name="lstm")(inputs))


def test_a_float_lstm_makes_it_refuse_the_file(tmp_path, estimate):
    rng = np.random.default_rng(0)
    graph = lstm_graph(FusedLstm(), (1, 6, 4), float_weights(rng, 4, 8))
    with pytest.raises(UnsupportedError, match="IFM must be INT8 or INT16"):
        estimate(graph, tmp_path)


def test_what_vela_cannot_parse_is_refused_in_its_words(tmp_path, estimate):
    path = write_tflite(one_input(ArgMax(), 1, 6, dtype="int16"), tmp_path)
    with pytest.raises(UnsupportedError, match=r"net.tflite: Vela refuses it.*IFM has to be 8bit"):
        estimate(path, tmp_path)
    # the process that refused it goes on
    assert estimate(int8_conv_graph(1), tmp_path).facts.cycles > 0


@pytest.mark.parametrize("options", [{}, {"accelerator": "ethos-u99-128"}])
def test_an_unknown_accelerator(tmp_path, options):
    path = write_tflite(int8_conv_graph(1), tmp_path)
    with pytest.raises(UsageError, match="no Ethos-U accelerator") as error:
        VelaRunner(options).estimate(path)
    assert "ethos-u55" in error.value.hint


def test_options_that_vela_does_not_take(tmp_path):
    path = write_tflite(int8_conv_graph(1), tmp_path)
    with pytest.raises(UsageError, match="ethos-u55-99"):
        VelaRunner({"accelerator": "ethos-u55-99"}).estimate(path)


def test_a_damaged_file_does_not_reach_vela(tmp_path, estimate):
    path = write_tflite(int8_conv_graph(1), tmp_path)
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(ArtifactError):
        estimate(path, tmp_path)


def test_a_file_that_is_compiled_already(tmp_path, estimate):
    with pytest.raises(ArtifactError, match="compiled for an Ethos-U already"):
        estimate(real("awkward-dev/person_detect_vela.tflite"), tmp_path)


@pytest.mark.parametrize("name", ["a_summary_b.tflite", "[x] y.tflite", "a.b.tflite"])
def test_names_of_files(tmp_path, estimate, name):
    path = write_tflite(int8_conv_graph(1), tmp_path, name)
    assert [cost.layer for cost in estimate(path, tmp_path).facts.layers] == ["y"]


def test_names_of_tensors_may_have_commas(tmp_path, estimate):
    graph = one_input(Softmax(), 1, 10)
    named = {"y0": 'a,b "c"'}
    tensors = {named.get(n, n): t.with_(name=named.get(n, n)) for n, t in graph.tensors.items()}
    (op,) = graph.ops
    renamed = graph.with_(
        tensors=tensors, ops=(replace(op, outputs=(named["y0"],)),), outputs={"y": named["y0"]}
    )
    (cost,) = estimate(renamed, tmp_path).facts.layers
    assert cost.layer == named["y0"]


def test_nothing_is_written_beside_the_artifact(tmp_path, estimate, monkeypatch):
    path = write_tflite(int8_conv_graph(1), tmp_path)
    monkeypatch.chdir(tmp_path)
    estimate(path, tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_words_of_vela():
    assert [(op.op, op.layer, op.reason) for op in fallbacks(SAID)] == [
        ("CAST", "mish/int32", "Unsupported opType"),
        (
            "MEAN",
            "norm/mean",
            "Unsupported depth-reduction.  IFM: 1, 8, 8, 4. "
            "Reduction over depth is only supported if any of h,w,c == 1",
        ),
        (
            "RESIZE_BILINEAR",
            "up",
            "Scaling matches and operation has unsupported scale-factor=4",
        ),
    ]


def test_parts_are_added_up():
    parts = [
        LayerCost("soft_0", "MaxPool", 100, 32, 10, 0.5),
        LayerCost("soft", "Asr", 300, 96, 0, 0.1),
        LayerCost("conv", "Conv2D", 50, 8, 7, 1.0),
        LayerCost("soft", "Asr", 0, 0, 0, 1.0),
    ]
    assert list(gathered(parts, {"soft": "SOFTMAX", "conv": "CONV_2D"})) == [
        LayerCost("soft", "SOFTMAX", 400, 96, 10, 0.2),
        LayerCost("conv", "CONV_2D", 50, 8, 7, 1.0),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("accelerator", ["ethos-u55-128", "ethos-u65-256", "ethos-u85-256"])
@pytest.mark.parametrize("name", REAL_MODELS)
def test_real_cnns_run_on_the_npu_alone(tmp_path, estimate, name, accelerator):
    facts = estimate(real_int8(name, tmp_path), tmp_path, accelerator).facts
    assert facts.fallbacks == () and facts.accelerator_share == 1


def real_int8(name, folder):
    model = REAL_MODELS[name]
    bundle = edgenn.convert(
        real(model.file), folder / "bundle", targets=["ethos-u55-128"], quantize=["int8"],
        calibration=model.calibration(),
    )  # fmt: skip
    return bundle.file(bundle.manifest.artifacts[0].file)
