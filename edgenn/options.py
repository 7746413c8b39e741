"""The choices and defaults of a conversion: the command line's and Python's are these.

Plain words, so that ``edgenn --help`` needs nothing heavy.
"""

from typing import Final

FORMATS: Final = ("tflite", "onnx", "hls4ml")
SCHEMES: Final = ("float32", "float16", "dynamic", "int8", "int16x8", "fixed16")
IO_DTYPES: Final = ("int8", "uint8", "float32")
CALIBRATORS: Final = ("minmax", "percentile", "mse")
RNN_FORMS: Final = ("auto", "loop", "fused", "unrolled", "step")
RNN_PRECISIONS: Final = ("auto", "float32", "int16", "int8")

DEFAULT_TARGETS: Final = ("graph", "cpu-reference", "cpu-xnnpack", "cpu-onnxruntime")
"""What a check runs on: no device, but what the integers mean and what is always there."""

DEFAULT_FORMATS: Final = ("tflite", "onnx")
DEFAULT_SCHEMES: Final = ("float32",)
DEFAULT_CALIBRATOR: Final = "minmax"
DEFAULT_RNN_FORM: Final = "auto"
DEFAULT_RNN_PRECISION: Final = "auto"
DEFAULT_TIME_LIMIT_S: Final = 600.0
"""For an engine to open a file, and for each part of the samples."""
