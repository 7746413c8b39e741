"""LiteRT with TFLite's reference kernels: what the integers of a .tflite mean, bit for bit."""

from edgenn.runners.runner import Runner


class LiteRTReferenceRunner(Runner):
    name = "litert-reference"
    suffix = ".tflite"
    engine = "edgenn.runners.session_engines:litert_reference"
    option_names = ("threads",)
    shares = True
