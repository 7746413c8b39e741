"""Small files for NPUs: integers, one sample at a time."""

from pathlib import Path

import numpy as np
from support.artifacts import write_tflite
from support.one_op import one_op

from edgenn.ir.graph import Graph
from edgenn.ir.operator import FixedOutput, Operator
from edgenn.ir.ops import Softmax
from edgenn.ir.tensor import Quantization, Tensor

SCALES = {"int8": Quantization.per_tensor(0.05, 3), "int16": Quantization.per_tensor(0.001)}


def one_input(operator: Operator, *shape: int, dtype: str = "int8", scale: float = 0.0) -> Graph:
    """Input ``x``, output ``y0`` of the same scale, or of the one that the operator prescribes."""
    quantization = Quantization.per_tensor(scale) if scale else SCALES[dtype]
    x = Tensor("x", shape, dtype, quantization)
    (output,) = operator.infer([x])
    rule = operator.output_rule
    made = rule.for_dtype(dtype) if isinstance(rule, FixedOutput) else quantization
    return one_op(operator, [x], [made if output.dtype in SCALES else None])


def softmax_file(folder: Path, dtype: str, scale: float, classes: int = 5) -> Path:
    return write_tflite(one_input(Softmax(), 1, classes, dtype=dtype, scale=scale), folder)


def spread_logits(scale: float, dtype: str, classes: int = 5, count: int = 200) -> np.ndarray:
    """Real numbers, anywhere in what the integers can say."""
    limits = np.iinfo(dtype)
    rng = np.random.default_rng(4)
    stored = rng.integers(limits.min, limits.max, (count, classes), endpoint=True)
    return (stored * scale).astype(np.float32)
