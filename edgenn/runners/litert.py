"""LiteRT as it comes: XNNPACK for the ops that it has, optimised kernels for the others."""

from edgenn.runners.runner import Runner


class LiteRTRunner(Runner):
    name = "litert"
    suffix = ".tflite"
    engine = "edgenn.runners.session_engines:litert"
    option_names = ("threads",)
    shares = True
