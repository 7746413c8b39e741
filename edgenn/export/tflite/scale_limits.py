"""Scales with which LiteRT's integer kernels abort the process or compute nonsense.

Some kernels write the ratio of scales as a multiplier below 1 and check no more than that
(``QuantizeMultiplierSmallerThanOneExp``). No trained model should come near these limits; one
with a tensor that is nearly constant can.
"""

from collections.abc import Callable, Sequence

from edgenn.errors import UnsupportedError
from edgenn.export.tflite.context import Context
from edgenn.ir import ops
from edgenn.ir.graph import Op
from edgenn.ir.operator import Operator
from edgenn.ir.ops.comparison import Comparison
from edgenn.ir.tensor import Tensor

Limit = Callable[[Sequence[float], Tensor], float]
"""The multiplier that must stay below 1, from the inputs' scales and the output."""


def _sum(scales: Sequence[float], output: Tensor) -> float:
    headroom = 15 if output.dtype == "int16" else 20
    return 2 * max(scales) / ((1 << headroom) * _scale(output))


def _squared_difference(scales: Sequence[float], output: Tensor) -> float:
    return (2 * max(scales)) ** 2 / ((1 << 14) * _scale(output))


def _comparison(scales: Sequence[float], output: Tensor) -> float:
    return max(scales)


def _scale(tensor: Tensor) -> float:
    assert tensor.quantization is not None
    return float(tensor.quantization.scale[0])


LIMITS: dict[type[Operator], Limit] = {
    ops.Add: _sum,
    ops.Sub: _sum,
    ops.SquaredDifference: _squared_difference,
    **dict.fromkeys(Comparison.__subclasses__(), _comparison),
}


def require_scales(op: Op, context: Context) -> None:
    """Refuses what would crash or lie.

    Raises:
        UnsupportedError: The kernel cannot compute with the scales of the op's tensors.
    """
    limit = LIMITS.get(type(op.operator))
    inputs = [context.tensor(name) for name in op.inputs]
    if limit is None or any(tensor.quantization is None for tensor in inputs):
        return
    scales = [_scale(tensor) for tensor in inputs]
    multiplier = limit(scales, context.tensor(op.output))
    if multiplier >= 1:
        raise UnsupportedError(
            f"{op.name}: LiteRT's integer kernel of {op.kind!r} needs a scale ratio below 1,"
            f" these tensors give {multiplier:.3g}",
            hint="keep this op in float, or calibrate with data that show its whole range",
        )
