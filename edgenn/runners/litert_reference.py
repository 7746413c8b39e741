"""LiteRT with TFLite's reference kernels: what the integers of a .tflite mean, bit for bit."""

from edgenn.runners.session_runner import SessionRunner


class LiteRTReferenceRunner(SessionRunner):
    name = "LiteRT reference"
    suffix = ".tflite"
    engine = "litert-reference"
