"""What LiteRT cannot run is refused when the file is written, never left to the runtime."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import OpResolverType
from support.litert import run
from support.one_op import assert_equals_litert, one_op, random_inputs
from support.quantized_op import quantized_case

import edgenn.export.tflite.builtins as builtins
from edgenn.errors import UnsupportedError
from edgenn.export.tflite.builtins import MAX_BROADCAST_RANK
from edgenn.export.tflite.emitters.activation import ACTIVATION
from edgenn.export.tflite.emitters.elementwise import ELEMENTWISE
from edgenn.export.tflite.emitters.reduction import ALONG_AXIS, OVER_AXES
from edgenn.export.tflite.emitters.resize import RESIZE
from edgenn.export.tflite.exporter import load_emitters, to_tflite
from edgenn.ir.operator import Operator
from edgenn.ir.ops import (
    Add,
    ArgMax,
    ArgMin,
    CumSum,
    Equal,
    Gelu,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    Logistic,
    Maximum,
    Mean,
    Mul,
    NotEqual,
    Pow,
    Prelu,
    ReduceMax,
    ResizeBilinear,
    Select,
    Sign,
    SquaredDifference,
    Sub,
)
from edgenn.ir.ops.elementwise import Binary
from edgenn.ir.tensor import Quantization, Tensor

FAMILIES = [*ELEMENTWISE, *ACTIVATION, *OVER_AXES, *ALONG_AXIS, *RESIZE]
COMPARISONS = [Equal(), NotEqual(), Less(), LessEqual(), Greater(), GreaterEqual()]

ACCEPTED_BUT_WRONG = {
    "div": ("int8", "int16"),
    "floor_div": ("int8", "int16"),
    "floor_mod": ("int8", "int16"),
    "neg": ("int8", "int16"),
    "less": ("int16",),
    "less_equal": ("int16",),
    "greater": ("int16",),
    "greater_equal": ("int16",),
    "prelu": ("int16",),
}
"""Kernels that run on quantised tensors, but take no notice of their parameters (``div``: are
undefined for small quotients, ``prelu``: read the slopes as int8). They count as missing."""

OF_BOOLEANS = ("logical_and", "logical_or", "logical_not", "reduce_any", "reduce_all")


def instance(operator: type[Operator]) -> Operator:
    if operator in OVER_AXES:
        return operator(axes=(1,))
    if operator in (ArgMax, ArgMin, CumSum):
        return operator(axis=1)
    return operator(size=(3, 5)) if operator in RESIZE else operator()


def operand_dtypes(operator: Operator, dtype: str) -> list[str]:
    if isinstance(operator, Select):
        return ["bool", dtype, dtype]
    count = 2 if isinstance(operator, Binary | Prelu) else 1
    return [dtype] * count


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("operator", FAMILIES, ids=lambda operator: operator.kind)
def test_integer_dtypes_are_those_that_litert_runs(
    operator: type[Operator], dtype: str, monkeypatch: pytest.MonkeyPatch
):
    if operator.kind in OF_BOOLEANS:
        pytest.skip("of booleans")
    made = instance(operator)
    dtypes = operand_dtypes(made, dtype)
    graph, inputs = quantized_case(
        made, [(2, 3, 4, 5)] * len(dtypes), dtypes, np.random.default_rng(0)
    )
    # neither zero nor negative, whatever the kernel makes of stored integers
    inputs = {
        name: np.full_like(array, np.iinfo(dtype).max) if array.dtype == dtype else array
        for name, array in inputs.items()
    }
    load_emitters()  # what they import by name must not be what stands here for a while
    monkeypatch.setattr(builtins, "require_integer_kernel", lambda op, context: None)
    try:
        run(graph, inputs, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
        runs = True
    except RuntimeError:
        runs = False
    wrong = dtype in ACCEPTED_BUT_WRONG.get(operator.kind, ())
    assert (dtype in operator.integer_dtypes) == (runs and not wrong)
    assert runs or not wrong


@pytest.mark.parametrize("operator", [Pow(), Sign()], ids=str)
def test_missing_integer_kernel_is_refused(operator: Operator):
    dtypes = operand_dtypes(operator, "int8")
    graph, _ = quantized_case(operator, [(2,)] * len(dtypes), dtypes, np.random.default_rng(0))
    with pytest.raises(UnsupportedError, match="op: LiteRT has no int8 kernel") as caught:
        to_tflite(graph)
    assert "float" in caught.value.hint


@pytest.mark.parametrize("operator", [Add(), Maximum(), Prelu(), Less()], ids=str)
def test_broadcasting_up_to_the_highest_rank(operator: Operator):
    shape = (2, 1) * (MAX_BROADCAST_RANK // 2)
    graph, inputs = quantized_case(
        operator, [shape, (1,) * MAX_BROADCAST_RANK], ["float32"] * 2, np.random.default_rng(0)
    )
    assert_equals_litert(graph, inputs)
    higher = one_op(operator, [Tensor("a", (1, *shape)), Tensor("b", shape)], [None])
    with pytest.raises(UnsupportedError, match="rank 9"):
        to_tflite(higher)


def scaled(operator: Operator, dtype: str, scales: tuple[float, float], output: float | None):
    operands = [
        Tensor(f"x{i}", (3,), dtype, Quantization.per_tensor(s)) for i, s in enumerate(scales)
    ]
    result = None if output is None else Quantization.per_tensor(output)
    return one_op(operator, operands, [result])


@pytest.mark.parametrize(
    ("operator", "dtype", "lowest"),
    [
        (Add(), "int8", 2.0**-19),
        (Sub(), "int8", 2.0**-19),
        (Add(), "int16", 2.0**-14),
        (SquaredDifference(), "int8", 2.0**-12),
    ],
    ids=str,
)
def test_output_scale_that_the_kernel_cannot_reach_is_refused(
    operator: Operator, dtype: str, lowest: float
):
    with pytest.raises(UnsupportedError, match="scale ratio"):
        to_tflite(scaled(operator, dtype, (1.0, 0.5), lowest))
    graph = scaled(operator, dtype, (1.0, 0.5), lowest * 1.01)
    assert_equals_litert(graph, random_inputs(graph, np.random.default_rng(0)))


@pytest.mark.parametrize("operator", COMPARISONS, ids=str)
def test_comparison_of_scales_from_one_on_is_refused(operator: Operator):
    with pytest.raises(UnsupportedError, match="scale ratio"):
        to_tflite(scaled(operator, "int8", (1.0, 0.5), None))
    graph = scaled(operator, "int8", (0.999, 0.5), None)
    assert_equals_litert(graph, random_inputs(graph, np.random.default_rng(0)))


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(
    "operator",
    [Gelu(), Logistic(), Mean(axes=(1, 2)), ReduceMax(axes=(3,)), ArgMax(axis=-1),
     ResizeBilinear(size=(7, 2)), Mul(), Sub()],
    ids=str,
)  # fmt: skip
def test_open_batch(operator: Operator, batch: int):
    operands = [Tensor("x", (None, 3, 4, 5))]
    if isinstance(operator, Mul | Sub):
        operands.append(Tensor("y", (None, 1, 1, 5)))
    graph = one_op(operator, operands, [None])
    assert_equals_litert(graph, random_inputs(graph, np.random.default_rng(0), batch))
