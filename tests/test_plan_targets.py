"""Which files targets get."""

import pytest
from support.artifacts import conv_graph
from support.recurrent import recurrent_graph
from support.targets import fake_profile

from edgenn.errors import UnsupportedError, UsageError
from edgenn.ir.ops import Gru, Lstm
from edgenn.lowering.recurrent.forms import Form
from edgenn.plan import Build, builds_for_targets
from edgenn.quantization.schemes import Gates, Scheme

FLOAT32, INT8, INT16X8 = Scheme.FLOAT32, Scheme.INT8, Scheme.INT16X8
CPU = fake_profile("cpu", schemes=("float32", "int8", "int16x8"))
ONNX = fake_profile("onnx", format_="onnx")
NPU = fake_profile(
    "npu", schemes=("int8", "int16x8"), artifact={"batch": 1, "recurrent": ["fused", "unrolled"]}
)
GPU = fake_profile("gpu", artifact={"batch": 1, "recurrent": ["unrolled"]})
MICRO = fake_profile("micro", artifact={"batch": 1, "recurrent": ["fused", "unrolled"]})


def lstm():
    return recurrent_graph(Lstm(units=4), steps=5, outputs=("sequence", "h"))


def gru():
    return recurrent_graph(Gru(units=4), steps=5)


def planned(graph, profiles, schemes=(), rnn="auto", precision="auto", batch=None):
    built = builds_for_targets(graph, profiles, schemes, rnn, precision, batch)
    return {build.file("n"): build for build in built}


def test_the_best_scheme_is_taken_where_none_is_asked_for():
    files = planned(conv_graph(), [CPU, NPU])
    assert list(files) == ["n.float32.tflite", "n.int8.batch1.tflite"]
    assert files["n.int8.batch1.tflite"] == Build(
        INT8, "tflite", None, Gates.FLOAT32, 1, "litert", "batch1", ("npu",)
    )


def test_targets_that_need_the_same_share_a_file():
    files = planned(lstm(), [NPU, MICRO, GPU], [FLOAT32, INT8])
    assert {file: build.targets for file, build in files.items()} == {
        "n.int8.fused.batch1.tflite": ("npu", "micro"),
        "n.float32.fused.batch1.tflite": ("micro",),
        "n.float32.unrolled.batch1.tflite": ("gpu",),
        "n.int8.unrolled.batch1.tflite": ("gpu",),
    }


def test_no_two_files_have_one_name():
    graph, profiles = lstm(), [CPU, ONNX, NPU, GPU, MICRO]
    for batch in (None, 1, 4):
        built = builds_for_targets(graph, profiles, [FLOAT32, INT8], "auto", "auto", batch)
        assert len({build.file("n") for build in built}) == len(built)


def test_the_next_form_where_the_first_cannot_be():
    assert list(planned(gru(), [NPU])) == ["n.int8.unrolled.batch1.tflite"]
    # LiteRT's fused LSTM has no 16-bit activations
    assert list(planned(lstm(), [NPU], [INT16X8])) == ["n.int16x8.unrolled.batch1.tflite"]


def test_no_form_at_all():
    open_steps = recurrent_graph(Gru(units=4), steps=None)
    with pytest.raises(UnsupportedError) as error:
        planned(open_steps, [NPU])
    text = str(error.value)
    assert "npu takes recurrent layers fused or unrolled (fused: " in text and "unrolled: " in text


def test_the_form_asked_for_is_kept():
    (build,) = planned(lstm(), [NPU], rnn="unrolled").values()
    assert (build.form, build.gates) == (Form.UNROLLED, Gates.INT16)
    (build,) = planned(lstm(), [NPU], rnn="unrolled", precision="int8").values()
    assert build.gates is Gates.INT8


def test_a_precision_that_the_first_form_has_not():
    (build,) = planned(lstm(), [NPU], precision="int8").values()
    assert (build.form, build.gates) == (Form.UNROLLED, Gates.INT8)


def test_the_batch_asked_for_is_of_targets_that_leave_it_open():
    files = planned(conv_graph(), [CPU, GPU], [FLOAT32], batch=8)
    assert {file: build.batch for file, build in files.items()} == {
        "n.float32.tflite": 8,
        "n.float32.batch1.tflite": 1,
    }


def test_a_scheme_that_a_target_does_not_take():
    with pytest.raises(UsageError, match=r"npu takes int8 or int16x8, not float32.*add --"):
        planned(conv_graph(), [CPU, NPU], [FLOAT32])


def test_the_gates_that_a_target_wants_are_of_forms_that_have_a_choice():
    micro = fake_profile(
        "micro", artifact={"recurrent": ["fused", "loop"], "gates": "int16", "batch": 1}
    )
    (build,) = planned(lstm(), [micro], [INT8]).values()
    assert (build.form, build.gates) == (Form.FUSED, Gates.FUSED)
    (build,) = planned(gru(), [micro], [INT8]).values()
    assert (build.form, build.gates) == (Form.LOOP, Gates.INT16)


def test_an_npu_behind_onnx_has_integer_gates_where_it_says_so():
    for gates, expected in (("auto", Gates.FLOAT32), ("int16", Gates.INT16)):
        npu = fake_profile(
            "htp", format_="onnx", artifact={"recurrent": ["unrolled"], "gates": gates}
        )
        files = planned(lstm(), [npu], [INT8, FLOAT32])
        assert [build.gates for build in files.values()] == [expected, Gates.FLOAT32]


def test_a_form_that_a_target_does_not_take():
    with pytest.raises(UsageError, match=r"gpu takes recurrent layers unrolled, not loop.*--rnn"):
        planned(lstm(), [GPU], rnn="loop")
    (build,) = planned(lstm(), [GPU], rnn="step").values()
    assert build.form is Form.STEP
