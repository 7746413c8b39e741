"""ONNX Runtime on the CPU."""

from edgenn.runners.environments import Requirement
from edgenn.runners.runner import Runner


class OnnxRuntimeRunner(Runner):
    name = "onnxruntime"
    suffix = ".onnx"
    engine = "edgenn.runners.session_engines:onnxruntime"
    option_names = ("threads",)
    shares = True
    requirement = Requirement(("onnxruntime",), ("onnxruntime>=1.20",))
