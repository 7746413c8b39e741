"""ONNX Runtime's WebGPU provider: real where it and a GPU are, and what it leaves to the CPU."""

import importlib.util
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
from support.artifacts import conv_graph, write_onnx
from support.gpu import SOFTWARE, gpu  # noqa: F401 - a fixture

from edgenn.errors import ArtifactError, EngineError, UnavailableError, UnsupportedError
from edgenn.export.onnx.exporter import to_onnx
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.ops import Dequantize, Quantize, Relu
from edgenn.ir.tensor import Quantization
from edgenn.runners.facts import Fallback
from edgenn.runners.onnxruntime import OnnxRuntimeRunner
from edgenn.runners.onnxruntime_webgpu import (
    KEPT_BACK,
    PROVIDER,
    OnnxRuntimeWebGpuRunner,
    left_to_the_cpu,
)
from edgenn.runners.vulkan import Diagnosis

X = np.random.default_rng(2).normal(size=(5, 4, 4, 2)).astype(np.float32)
SAID = (
    "2026-11-25 01:16:23.868726085 [I:onnxruntime:, ep.cc:91 GetCapabilityImpl] webgpu kernel not"
    " found in registries for Op type: QuantizeLinear node name: conv2d/QuantizeLinear_1\n"
    "2026-11-25 01:16:23.868741799 [I:onnxruntime:, inference_session.cc:3424 operator()] Done\n"
)
DENIED = (
    "2026-11-25 01:16:23.868 [E:onnxruntime:, inference_session.cc:2724 operator()] Exception:"
    " fallback to CPU EP has been explicitly disabled by the user.\n"
)
FAILED = "2026-11-25 01:16:23.868 [E:onnxruntime:, sequential_executor.cc:572] Too many buffers\n"


LSTM = (
    "2026-11-25 02:14:05.126 [E:onnxruntime:, sequential_executor.cc:586 ExecuteKernel] Non-zero"
    " status code returned while running LSTM node. Name:'lstm_1/LSTM' Status Message:"
    " /onnxruntime_src/onnxruntime/core/providers/webgpu/rnn/lstm.cc:28 std::string"
    " onnxruntime::webgpu::{anonymous}::ActivationToWgslFn(const std::string&)"
    " Unsupported LSTM activation for WebGPU: HardSigmoid\n\x1b[m"
)


@dataclass
class Session:
    """Says which nodes are whose."""

    placed: dict[str, list[tuple[str, str]]]

    def get_provider_graph_assignment_info(self):
        for provider, nodes in self.placed.items():
            listed = [SimpleNamespace(op_type=op, name=name) for op, name in nodes]
            yield SimpleNamespace(ep_name=provider, get_nodes=lambda listed=listed: listed)


def runner(*devices) -> OnnxRuntimeWebGpuRunner:
    made = OnnxRuntimeWebGpuRunner()
    made.diagnosis = Diagnosis(devices or (SOFTWARE,))
    return made


def test_nodes_of_the_cpu_with_the_providers_reason():
    nodes = [("QuantizeLinear", "conv2d/QuantizeLinear_1"), ("Gather", "shape/Gather")]
    session = Session({PROVIDER: [("Conv", "conv2d/Conv")], "CPUExecutionProvider": nodes})
    assert left_to_the_cpu(session, SAID) == [
        Fallback(*nodes[0], "webgpu kernel not found in registries"),
        Fallback(*nodes[1], KEPT_BACK),
    ]


def test_an_emulated_gpu_has_to_be_allowed():
    allowed = "ORT_WEBGPU_EP_ALLOW_SOFTWARE_ADAPTER"
    assert runner().environment()[allowed] == "1"
    discrete = replace(SOFTWARE, name="Quick", kind="discrete")
    assert allowed not in runner(discrete, SOFTWARE).environment()


def test_its_words():
    said = runner().read_stderr(SAID + DENIED + FAILED)
    assert said.warnings == ("Too many buffers",)
    assert said.facts == {"adapter": SOFTWARE.name, "software": True}


def test_a_node_that_fails_is_named_with_its_reason():
    error = EngineError("net.onnx: ONNX Runtime: [ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION …")
    told = runner().explain(error, LSTM)
    assert type(told) is UnsupportedError
    assert told.message == (
        "net.onnx: ONNX Runtime's WebGPU provider fails at LSTM 'lstm_1/LSTM': Unsupported LSTM"
        " activation for WebGPU: HardSigmoid"
    )
    other = runner().explain(error, LSTM.replace("Unsupported LSTM", "Out of memory in an LSTM"))
    assert type(other) is EngineError
    assert runner().explain(error, SAID) is error


@pytest.fixture
def engine(gpu):  # noqa: F811
    if importlib.util.find_spec("onnxruntime_ep_webgpu") is None:
        pytest.skip("onnxruntime-ep-webgpu is not installed")
    return OnnxRuntimeWebGpuRunner()


def test_a_float_file_runs_on_the_gpu_alone(engine, gpu, tmp_path):  # noqa: F811
    path = write_onnx(conv_graph(1), tmp_path)
    result = engine.run(path, {"x": X})
    expected = OnnxRuntimeRunner().run(path, {"x": X}).outputs["y"]
    np.testing.assert_allclose(result.outputs["y"], expected, atol=1e-5)
    assert result.facts.fallbacks == result.findings == ()
    assert result.facts.software is gpu.chosen()[0].is_software
    assert result.facts.adapter == " or ".join(device.name for device in gpu.chosen())
    assert "onnxruntime-ep-webgpu" in result.version


def test_what_the_provider_lacks_runs_on_the_cpu_and_is_told(engine, tmp_path):
    step = Quantization.per_tensor(0.5, 3)
    builder = GraphBuilder("rounded")
    x = builder.input("x", (1, 4, 4, 2))
    rounded = builder.add(Quantize("int8"), [x], "rounded")
    builder.tensors[rounded] = builder.tensors[rounded].with_(quantization=step)
    back = builder.add(Dequantize(), [rounded], "back")
    path = tmp_path / "net.onnx"
    path.write_bytes(to_onnx(builder.finish({"y": builder.add(Relu(), [back], "y")})))
    with engine:
        for _ in range(2):
            result = engine.run(path, {"x": X})
            expected = OnnxRuntimeRunner().run(path, {"x": X}).outputs["y"]
            np.testing.assert_allclose(result.outputs["y"], expected, atol=1e-6)
            assert {entry.op for entry in result.facts.fallbacks} == {"QuantizeLinear"}
            for entry in result.facts.fallbacks:
                assert entry.layer.startswith("rounded")
                assert entry.reason == "webgpu kernel not found in registries"


def test_a_damaged_file(engine, tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"rubbish")
    with pytest.raises(ArtifactError, match="damaged or not an ONNX file"):
        engine.run(path, {"x": X})


def test_without_a_device_nothing_is_started(tmp_path):
    made = OnnxRuntimeWebGpuRunner()
    made.diagnosis = Diagnosis((), "there is no Vulkan loader", "install it")
    with pytest.raises(UnavailableError, match="no Vulkan loader"):
        made.environment()
