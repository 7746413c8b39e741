"""Windows of pixels, and whole images, that become one."""

from typing import Any

from edgenn.export.hls4ml.context import Context
from edgenn.export.hls4ml.precision import accumulating, exact_type
from edgenn.export.hls4ml.registry import emitter, refused
from edgenn.export.hls4ml.windows import window
from edgenn.ir.fixed_format import FixedFormat
from edgenn.ir.graph import Op
from edgenn.ir.ops import AveragePool2D, MaxPool2D, Mean, ReduceMax

QUOTIENT_BITS = 8
"""Bits behind the inputs' that an average keeps before it is rounded."""


@emitter(MaxPool2D, AveragePool2D)
def pool_2d(op: Op, context: Context) -> None:
    operator = op.operator
    assert isinstance(operator, MaxPool2D | AveragePool2D)
    x, y = context.shape(op.inputs[0]), context.shape(op.output)
    name = "Max" if isinstance(operator, MaxPool2D) else "Average"
    height, width = operator.size
    attributes = {
        **window(x, y, operator.size, operator.strides, operator.padding),
        "pool_height": height,
        "pool_width": width,
        "n_filt": x[-1],
        "count_pad": False,
        "data_format": "channels_last",
    }
    context.add_activated(
        f"{name}Pooling2D",
        op,
        op.inputs,
        operator.activation,
        attributes=attributes,
        precision=sums(context.format(op.inputs[0]), height * width),
    )


@emitter(Mean, ReduceMax)
def global_pool(op: Op, context: Context) -> None:
    """Over all pixels of an image, or all steps of a sequence."""
    operator = op.operator
    assert isinstance(operator, Mean | ReduceMax)
    x = context.shape(op.inputs[0])
    if len(x) not in (2, 3) or sorted(operator.axes) != list(range(1, len(x))):
        raise refused(
            op,
            f"hls4ml reduces all pixels or steps at once, not axes {list(operator.axes)} of"
            f" {len(x) + 1}",
        )
    name = "Max" if isinstance(operator, ReduceMax) else "Average"
    class_name = f"Global{name}Pooling{len(x) - 1}D"
    sizes: dict[str, Any] = {"n_in": x[0]}
    if len(x) == 3:
        sizes = {"in_height": x[0], "in_width": x[1]}
    count = x[0] * x[1] if len(x) == 3 else x[0]
    pooled = f"{op.output}/pooled" if operator.keep_dims else op.output
    context.add(
        class_name,
        op.inputs,
        pooled,
        {**sizes, "n_filt": x[-1], "data_format": "channels_last"},
        precision=sums(context.format(op.inputs[0]), count),
        form=context.format(op.output),
    )
    if operator.keep_dims:
        context.reshape(pooled, op.output)


def sums(x: FixedFormat, count: int) -> dict[str, str]:
    """The type of the sum of so many values, and of their mean."""
    form = accumulating(count * 2.0 ** (x.integer - 1), x.fraction + QUOTIENT_BITS)
    return {"accum": exact_type(form)}
