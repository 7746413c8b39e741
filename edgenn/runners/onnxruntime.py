"""ONNX Runtime on the CPU."""

from edgenn.runners.session_runner import SessionRunner


class OnnxRuntimeRunner(SessionRunner):
    name = "ONNX Runtime"
    suffix = ".onnx"
    engine = "onnxruntime"
