"""Graphs of one quantised operator whose scales fit what flows through them."""

from collections.abc import Mapping, Sequence

import numpy as np
from support.one_op import one_op, random_input

from edgenn.ir.graph import Graph
from edgenn.ir.operator import FixedOutput, Operator, OutputRule
from edgenn.ir.tensor import INTEGER_RANGES, Array, Quantization, Tensor

Case = tuple[Graph, Mapping[str, Array]]


def quantization_of(values: Array, dtype: str, rng: np.random.Generator) -> Quantization:
    """Parameters under which ``values`` fill the dtype's range, or miss it a little."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    reach = float(rng.uniform(0.7, 1.5))
    low, high = low * reach, high * reach
    if dtype == "int16":
        return Quantization.per_tensor(max(-low, high, 1e-6) / 32767)
    scale = max(high - low, 1e-6) / 255
    zero_point = int(np.clip(np.rint(-128 - low / scale), -128, 127))
    return Quantization.per_tensor(scale, zero_point)


def random_quantization(
    dtype: str, rng: np.random.Generator, lowest: int = -128
) -> Quantization | None:
    """Any scale; any zero point from ``lowest`` … for int8."""
    if dtype not in ("int8", "int16"):
        return None
    magnitude = 10.0 ** rng.uniform(-2, 1)
    if dtype == "int16":
        return Quantization.per_tensor(magnitude / 32767)
    zero_point = lowest if lowest != -128 else int(rng.integers(-128, 128))
    return Quantization.per_tensor(magnitude / 255, zero_point)


def output_quantization(
    operator: Operator, operands: Sequence[Tensor], arrays: Sequence[Array], rng: np.random.Generator
) -> Quantization | None:
    """What the operator's rule says, calibrated on its own float evaluation."""
    rule = operator.output_rule
    dtype = operands[-1].dtype
    if rule is OutputRule.NONE:
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
    shared = operator.output_rule is OutputRule.SAME_AS_INPUT
    operands, arrays = [], []
    common = random_quantization(dtypes[-1], rng)
    for index, (shape, dtype) in enumerate(zip(shapes, dtypes, strict=True)):
        parameters = random_quantization(dtype, rng)
        if shared and parameters is not None:
            parameters = common
        array = random_input(rng, shape, dtype) if dtype != "bool" else rng.random(shape) < 0.5
        if not_negative and parameters is not None:
            array = np.maximum(array, parameters.zero_point[0] + 1).astype(dtype)
            array = np.where(array <= parameters.zero_point[0], INTEGER_RANGES[dtype][1], array)
            array = array.astype(dtype)
        data = array if index == constant else None
        operands.append(Tensor(f"x{index}", tuple(shape), dtype, parameters, data))
        arrays.append(array)
    result = output_quantization(operator, operands, arrays, rng)
    graph = one_op(operator, operands, [result])
    (output,) = graph.output_tensors()
    if output.dtype in ("float32", *INTEGER_RANGES) and result is not None:
        graph = graph.with_(
            tensors={**graph.tensors, output.name: output.with_(dtype=dtypes[-1])}
        )
    return graph, {t.name: a for t, a in zip(operands, arrays, strict=True) if not t.is_constant}
