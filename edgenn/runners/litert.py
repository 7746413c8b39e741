"""LiteRT as it comes: XNNPACK for the ops that it has, optimised kernels for the others."""

from edgenn.runners.session_runner import SessionRunner


class LiteRTRunner(SessionRunner):
    name = "LiteRT default"
    suffix = ".tflite"
    engine = "litert"
