"""Graphs of one operator, and the comparison of their evaluation with LiteRT's kernels."""

from collections.abc import Mapping, Sequence

import numpy as np
from ai_edge_litert.interpreter import OpResolverType
from support.litert import REFERENCE, run

from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph, Op
from edgenn.ir.operator import Operator
from edgenn.ir.tensor import INTEGER_RANGES, Array, Quantization, Tensor

Quantizations = Sequence[Quantization | None]


def one_op(operator: Operator, operands: Sequence[Tensor], quantizations: Quantizations) -> Graph:
    """A graph of one op; operands without data are its inputs.

    Args:
        quantizations: Of the outputs, one each.
    """
    results = [
        Tensor(f"y{i}", type_.shape, type_.dtype, quantization)
        for i, (type_, quantization) in enumerate(
            zip(operator.infer(operands), quantizations, strict=True)
        )
    ]
    op = Op("op", operator, tuple(x.name for x in operands), tuple(y.name for y in results))
    return Graph(
        "one_op",
        {tensor.name: tensor for tensor in (*operands, *results)},
        (op,),
        {x.name: x.name for x in operands if not x.is_constant},
        {y.name: y.name for y in results},
    )


def random_input(
    rng: np.random.Generator, shape: Sequence[int], dtype: str, scale: float = 1.0
) -> Array:
    """Every stored integer is equally likely; floats are normal."""
    if dtype == "bool":
        return rng.random(shape) < 0.5
    if dtype in INTEGER_RANGES:
        low, high = INTEGER_RANGES[dtype]
        return rng.integers(low, high, shape, dtype, endpoint=True)
    return (scale * rng.standard_normal(shape)).astype(dtype)


def random_inputs(graph: Graph, rng: np.random.Generator, batch: int = 2) -> dict[str, Array]:
    """One array for each input of the graph; open dimensions become ``batch``."""
    return {
        name: random_input(
            rng,
            [batch if size is None else size for size in graph.tensors[tensor].shape],
            graph.tensors[tensor].dtype,
        )
        for name, tensor in graph.inputs.items()
    }


def assert_equals_litert(
    graph: Graph,
    inputs: Mapping[str, Array],
    resolver: OpResolverType = REFERENCE,
    tolerance: float = 1e-5,
) -> None:
    """Integers equal LiteRT's kernels bit for bit, floats to ``tolerance`` of their range."""
    ours, theirs = evaluate(graph, inputs), run(graph, inputs, resolver)
    for public, name in graph.outputs.items():
        mine, other = ours[name], theirs[public]
        assert mine.dtype == other.dtype
        assert mine.shape == other.shape
        if mine.dtype.kind == "f":
            limit = tolerance * max(1.0, float(np.abs(other).max(initial=0)))
            np.testing.assert_allclose(mine, other, rtol=tolerance, atol=limit)
        else:
            np.testing.assert_array_equal(mine, other)
