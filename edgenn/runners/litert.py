"""LiteRT as it comes: optimised kernels and XNNPACK."""

from edgenn.runners.session_runner import SessionRunner


class LiteRTRunner(SessionRunner):
    name = "LiteRT XNNPACK"
    suffix = ".tflite"
    engine = "litert"
