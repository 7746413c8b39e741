"""LiteRT on the GPU: real where there is one, and what its words mean."""

import numpy as np
import pytest
from support.artifacts import conv_graph, int8_conv_graph, two_input_graph, write_tflite
from support.fused_lstm import float_weights, lstm_graph
from support.gpu import SOFTWARE, gpu  # noqa: F401 - a fixture
from support.one_op import one_op

from edgenn.errors import EngineError, UnavailableError, UnsupportedError, UsageError
from edgenn.ir import ops
from edgenn.ir.ops.fused_lstm import FusedLstm
from edgenn.ir.tensor import Tensor
from edgenn.runners.litert_gpu import LiteRTGpuRunner, refused_ops
from edgenn.runners.litert_reference import LiteRTReferenceRunner
from edgenn.runners.vulkan import Diagnosis

X = np.random.default_rng(2).normal(size=(5, 4, 4, 2)).astype(np.float32)
ADAPTER = (
    "INFO: [delegate_webgpu.cc:342] Create WebGPU environment (use_low_power=0)\n"
    "WARNING: Logging before InitGoogle() is written to STDERR\n"
    "I0000 00:00:1795567475.104885   21338 environment.cc:532] Selected adapter: "
    "SwiftShader Device (Subzero), arch=swiftshader, vendor=google, backend=Vulkan, "
    "adapterType=CPU / Software\n"
)
HARDWARE = ADAPTER.replace("SwiftShader Device (Subzero)", "NVIDIA L4").replace(
    "CPU / Software", "Discrete GPU"
)
REFUSED = """\
ERROR: Following operations are not supported by GPU delegate:
DEQUANTIZE: 
FULLY_CONNECTED: Tensor type(INT16) is not supported. rnn/step_0/sequence/cell/hidden
FULLY_CONNECTED: Tensor type(INT16) is not supported. rnn/step_1/sequence/cell/hidden
STRIDED_SLICE: Slice does not support shrink_axis_mask parameter. 
WHILE: Operation is not supported.
3 operations will run on the GPU, and the remaining 62 operations will run on the CPU.
INFO: [accelerator_registry.cc:43] DestroyAccelerator: ptr=0x5625b54efab0, name=NpuAccelerator
"""  # noqa: W291 - as LiteRT prints it
NONE_RUN = REFUSED.replace(
    "3 operations will run on the GPU, and the remaining 62 operations",
    "No operations will run on the GPU, and all 65 operations",
)
ABORTED = """\
F0000 00:00:1795567791.528794   28546 object_reader.cc:82] Check failed: tfl_tensor != nullptr 
*** Check failure stack trace: ***
    @     0x7f1c5a3a2d5b  (unknown)
"""  # noqa: W291 - as LiteRT prints it


def runner(precision: str = "f32") -> LiteRTGpuRunner:
    """On a machine with the emulation only."""
    made = LiteRTGpuRunner({"precision": precision})
    made.diagnosis = Diagnosis((SOFTWARE,))
    return made


def test_which_adapter_it_was():
    said = runner().read_stderr(ADAPTER)
    assert said.facts == {"adapter": "SwiftShader Device (Subzero)", "software": True}
    assert said.warnings == ()
    assert runner().read_stderr(HARDWARE).facts == {"adapter": "NVIDIA L4", "software": False}
    assert runner().read_stderr("").facts == {}


def test_float16_that_the_adapter_does_not_have_is_told():
    (warning,) = runner("f16").read_stderr(ADAPTER).warnings
    assert warning == "SwiftShader Device (Subzero) has no float16 arithmetic: it ran in float32"


def test_errors_in_shaders_are_findings():
    line = "Validation error: Binding size for [Buffer (unlabeled)] is zero."
    said = runner().read_stderr(f"{ADAPTER}E0000 webgpu.cc:12] {line}\n{line}\n")
    assert said.findings == (line,)


@pytest.mark.parametrize("text", [REFUSED, NONE_RUN])
def test_each_refused_op_is_named_once_with_its_reason(text):
    assert refused_ops(ADAPTER + text) == [
        "FULLY_CONNECTED: Tensor type(INT16) is not supported. rnn/step_0/sequence/cell/hidden",
        "STRIDED_SLICE: Slice does not support shrink_axis_mask parameter.",
        "WHILE: Operation is not supported.",
    ]


def test_a_refusal_is_told_in_the_engines_words_with_what_to_do():
    error = EngineError("net.tflite: LiteRT's GPU delegate refuses it: RuntimeError")
    told = runner().explain(error, REFUSED)
    assert type(told) is UnsupportedError
    assert told.message.startswith("net.tflite: LiteRT's GPU delegate refuses it: FULLY_CONNECTED")
    assert "WHILE: Operation is not supported." in told.message
    assert "--rnn unrolled" in told.hint
    assert "--rnn-precision float32" in told.hint


def test_a_failed_check_is_the_reason_of_a_crash():
    error = EngineError("net.tflite: engine crashed on this artifact: signal 6 (SIGABRT)", "stack")
    told = runner().explain(error, ABORTED)
    assert told.message == error.message
    assert told.hint == "Check failed: tfl_tensor != nullptr"
    assert runner().explain(error, ADAPTER) is error


def test_without_a_device_nothing_is_started(tmp_path):
    made = LiteRTGpuRunner()
    made.diagnosis = Diagnosis((), "there is no Vulkan driver", "install one")
    with pytest.raises(UnavailableError, match="no Vulkan driver"):
        made.require_available()
    with pytest.raises(UnavailableError, match=r"no Vulkan driver \(install one\)"):
        made.run(write_tflite(conv_graph(1), tmp_path), {"x": X})


@pytest.mark.usefixtures("gpu")
class TestOnTheGpu:
    def test_float_files_give_what_the_reference_kernels_give(self, tmp_path, gpu):  # noqa: F811
        path = write_tflite(conv_graph(1), tmp_path)
        result = LiteRTGpuRunner().run(path, {"x": X})
        expected = LiteRTReferenceRunner().run(path, {"x": X}).outputs["y"]
        np.testing.assert_allclose(result.outputs["y"], expected, atol=1e-5)
        assert result.version.startswith("ai-edge-litert ")
        assert result.facts.adapter in [device.name for device in gpu.devices]
        assert result.facts.software is gpu.chosen()[0].is_software
        assert result.facts.fallbacks == result.findings == ()

    def test_one_process_serves_several_files(self, tmp_path):
        first = write_tflite(two_input_graph(1), tmp_path, "first.tflite")
        second = write_tflite(int8_conv_graph(1), tmp_path, "second.tflite")
        column = np.arange(1, 4, dtype=np.float32).reshape(3, 1, 1, 1)
        with LiteRTGpuRunner() as engine:
            both = engine.run(first, {"left": column, "right": -column})
            int8 = engine.run(second, {"x": X * 20})
        np.testing.assert_array_equal(both.outputs["first"], column * 3)
        np.testing.assert_array_equal(both.outputs["second"], column * -2)
        expected = LiteRTReferenceRunner().run(second, {"x": X * 20}).outputs["y"]
        assert np.abs(int8.outputs["y"] - expected).max() <= 0.25  # a step
        assert int8.facts.adapter

    def test_float16(self, tmp_path, gpu):  # noqa: F811
        path = write_tflite(conv_graph(1), tmp_path)
        result = LiteRTGpuRunner({"precision": "f16"}).run(path, {"x": X})
        expected = LiteRTReferenceRunner().run(path, {"x": X}).outputs["y"]
        np.testing.assert_allclose(result.outputs["y"], expected, atol=0.02 * np.ptp(expected))
        computes = gpu.chosen(float16=True)[0].float16
        assert bool(result.warnings) is not computes

    def test_another_precision(self, tmp_path):
        with pytest.raises(UsageError, match="no GPU precision 'f8'"):
            LiteRTGpuRunner({"precision": "f8"}).run(
                write_tflite(conv_graph(1), tmp_path), {"x": X}
            )

    def test_an_open_batch_is_refused(self, tmp_path):
        path = write_tflite(conv_graph(), tmp_path)
        with pytest.raises(
            UnsupportedError, match=r"'x' is \(\?, 4, 4, 2\) \(convert with --batch"
        ):
            LiteRTGpuRunner().run(path, {"x": X})

    def test_an_op_without_a_kernel_is_refused(self, tmp_path):
        graph = one_op(ops.LogSoftmax(), [Tensor("x", (1, 4))], [None])
        path = write_tflite(graph, tmp_path)
        with pytest.raises(UnsupportedError, match=r"LOG_SOFTMAX: Operation is not supported\."):
            LiteRTGpuRunner().run(path, {"x": X[:, 0, 0, :1].repeat(4, 1)})

    def test_a_fused_lstm_is_refused(self, tmp_path):
        rng = np.random.default_rng(0)
        path = write_tflite(lstm_graph(FusedLstm(), (1, 5, 3), float_weights(rng, 3, 4)), tmp_path)
        with pytest.raises(UnsupportedError, match="UNIDIRECTIONAL_SEQUENCE_LSTM"):
            LiteRTGpuRunner().run(path, {"x": rng.normal(size=(2, 5, 3)).astype(np.float32)})

    def test_a_crash_is_an_error_and_the_next_file_runs(self, tmp_path):
        x = Tensor("x", (1, 3, 4))
        product = one_op(ops.BatchMatMul(transpose_b=True), [x, x], [None])
        crashing = write_tflite(product, tmp_path, "crashing.tflite")
        good = write_tflite(conv_graph(1), tmp_path)
        with LiteRTGpuRunner() as engine:
            try:
                engine.run(crashing, {"x": np.ones((1, 3, 4), np.float32)})
                pytest.skip("this LiteRT multiplies a tensor by itself: no file to crash on")
            except EngineError as error:
                told = error.message
            assert "engine crashed on this artifact" in told
            assert engine.run(good, {"x": X}).facts.adapter
