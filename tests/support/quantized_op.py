"""Graphs of one quantised operator whose scales fit what flows through them."""

from collections.abc import Mapping, Sequence

import numpy as np
from support.one_op import one_op, random_input

from edgenn.ir.graph import Graph
from edgenn.ir.operator import FixedOutput, Operator, OutputRule
from edgenn.ir.tensor import Array, Quantization, Tensor

Case = tuple[Graph, Mapping[str, Array]]


def quantization_of(values: Array, dtype: str, rng: np.random.Generator) -> Quantization:
    """Parameters under which ``values`` fill the dtype's range, or miss it a little."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    reach = float(rng.uniform(0.7, 1.5))
    low, high = (low * reach, high * reach) if high - low > 1e-3 else (0.0, 1.0)
    if dtype == "int16":
        return Quantization.per_tensor(max(-low, high) / 32767)
    scale = (high - low) / 255
    zero_point = int(np.clip(np.rint(-128 - low / scale), -128, 127))
    return Quantization.per_tensor(scale, zero_point)


def random_quantization(dtype: str, rng: np.random.Generator) -> Quantization | None:
    """Any scale and, for int8, any zero point."""
    if dtype not in ("int8", "int16"):
        return None
    magnitude = 10.0 ** rng.uniform(-2, 1)
    if dtype == "int16":
        return Quantization.per_tensor(magnitude / 32767)
    return Quantization.per_tensor(magnitude / 255, int(rng.integers(-128, 128)))


def output_quantization(
    operator: Operator,
    operands: Sequence[Tensor],
    arrays: Sequence[Array],
    rng: np.random.Generator,
) -> Quantization | None:
    """What the operator's rule says, calibrated on its own float evaluation."""
    rule = operator.output_rule
    dtype = operands[-1].dtype
    if rule is OutputRule.NONE or operands[-1].quantization is None:
        return None
    if isinstance(rule, FixedOutput):
        return rule.for_dtype(dtype)
    if rule is OutputRule.SAME_AS_INPUT:
        return operands[-1].quantization
    real = [
        array if tensor.quantization is None else tensor.quantization.dequantize(array)
        for tensor, array in zip(operands, arrays, strict=True)
    ]
    with np.errstate(all="ignore"):
        (result,) = operator.evaluate(real)
    finite = result[np.isfinite(result)]
    return quantization_of(finite if finite.size else np.ones(1), dtype, rng)


def quantized_case(
    operator: Operator,
    shapes: Sequence[Sequence[int]],
    dtypes: Sequence[str],
    rng: np.random.Generator,
    *,
    not_negative: bool = False,
    constant: int | None = None,
) -> Case:
    """One op with random parameters and inputs.

    Args:
        dtypes: One an operand; ``int8`` and ``int16`` are quantised, others are plain.
        not_negative: Inputs stand for numbers >= 0.
        constant: The operand that is a constant instead of an input.
    """
    shared = random_quantization(dtypes[-1], rng)
    operands, arrays = [], []
    for index, (shape, dtype) in enumerate(zip(shapes, dtypes, strict=True)):
        parameters = random_quantization(dtype, rng)
        if operator.output_rule is OutputRule.SAME_AS_INPUT and parameters is not None:
            parameters = shared
        array = random_input(rng, shape, dtype, scale=3)
        if not_negative and parameters is not None:
            array = np.maximum(array, parameters.zero_point[0]).astype(dtype)
        data = array if index == constant else None
        operands.append(Tensor(f"x{index}", tuple(shape), dtype, parameters, data))
        arrays.append(array)
    result = output_quantization(operator, operands, arrays, rng)
    graph = one_op(operator, operands, [result])
    return graph, {t.name: a for t, a in zip(operands, arrays, strict=True) if not t.is_constant}
