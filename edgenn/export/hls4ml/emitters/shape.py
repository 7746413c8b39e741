"""Values that are moved, cut, joined, padded or repeated, and looked up."""

from math import prod

from edgenn.export.hls4ml.bidirectional import add_pair, joined_pair
from edgenn.export.hls4ml.context import Context
from edgenn.export.hls4ml.precision import type_of
from edgenn.export.hls4ml.registry import emitter, refused
from edgenn.ir.fixed_format import FixedFormat
from edgenn.ir.graph import Op
from edgenn.ir.ops import (
    Concatenation,
    ExpandDims,
    Gather,
    Pad,
    Reshape,
    ResizeNearest,
    Squeeze,
    StridedSlice,
    Transpose,
)
from edgenn.ir.ops.reduction import normalized

LARGEST_RANK = 3
"""Dimensions besides the batch of what hls4ml joins, cuts and pads."""


@emitter(Reshape, ExpandDims, Squeeze)
def reshape(op: Op, context: Context) -> None:
    x = context.shape(op.inputs[0])
    y = context.tensor(op.output).shape
    if y[0] is not None and context.tensor(op.inputs[0]).shape[0] is None:
        raise refused(op, "hls4ml lays out one sample; this reshape gives the batch away")
    if None in y[1:] or prod(size or 1 for size in y[1:]) != prod(x):
        raise refused(op, "hls4ml lays out one sample; this reshape mixes the batch in")
    context.reshape(op.inputs[0], op.output)


@emitter(Transpose)
def transpose(op: Op, context: Context) -> None:
    assert isinstance(op.operator, Transpose)
    batch, *rest = op.operator.permutation
    if batch != 0:
        raise refused(op, "hls4ml lays out one sample; this transpose moves the batch")
    form = context.format(op.inputs[0])
    perm = [axis - 1 for axis in rest]
    context.add("Transpose", op.inputs, op.output, {"perm": perm}, form=form)


@emitter(Concatenation)
def concatenate(op: Op, context: Context) -> None:
    """Two at a time; what joins both directions of a recurrent layer is that layer."""
    assert isinstance(op.operator, Concatenation)
    if (pair := joined_pair(op, context.graph)) is not None:
        add_pair(op, pair, context)
        return
    shape = context.shape(op.output)
    axis = normalized(op.operator.axis, len(shape) + 1)
    if axis == 0 or len(shape) > LARGEST_RANK:
        raise refused(op, f"hls4ml does not join {len(shape) + 1} dimensions along {axis}")
    left, *rest = op.inputs
    for index, right in enumerate(rest, 1):
        last = index == len(rest)
        output = op.output if last else f"{op.output}/joined_{index}"
        context.add(
            "Concatenate",
            [left, right],
            output,
            {"op": f"concatenate{len(shape)}d", "axis": axis},
            form=context.format(op.output),
        )
        left = output


@emitter(Pad)
def pad(op: Op, context: Context) -> None:
    """Zeros around an image, or before and after a sequence."""
    assert isinstance(op.operator, Pad)
    x, y = context.shape(op.inputs[0]), context.shape(op.output)
    amounts = op.operator.paddings
    spatial = amounts[1:-1]
    outside = (amounts[0], amounts[-1]) != ((0, 0), (0, 0))
    if op.operator.value != 0 or outside or len(spatial) not in (1, 2):
        raise refused(op, "hls4ml pads images and sequences with zeros, and nothing else")
    names = ("left", "right") if len(spatial) == 1 else ("top", "bottom", "left", "right")
    sides = [side for pair in spatial for side in pair]
    context.add(
        f"ZeroPadding{len(spatial)}D",
        op.inputs,
        op.output,
        {**extents(x, y), **{f"pad_{n}": size for n, size in zip(names, sides, strict=True)}},
        form=context.format(op.inputs[0]),
    )


@emitter(StridedSlice)
def cut(op: Op, context: Context) -> None:
    """A part of an image or a sequence."""
    assert isinstance(op.operator, StridedSlice)
    x = context.shape(op.inputs[0])
    batch, *cuts = op.operator.slices
    spans = [range(*part.indices(size)) for part, size in zip(cuts, x, strict=True)]
    whole = batch in (slice(None, None, 1), slice(0, None, 1)) and 0 not in op.operator.squeezed
    if len(x) not in (2, 3) or not whole or len(spans[-1]) != x[-1]:
        raise refused(op, "hls4ml cuts pixels out of images and steps out of sequences only")
    if any(span.step != 1 for span in spans):
        raise refused(op, "hls4ml cuts out neighbours only, no strides")
    names = (("left", "right"),) if len(x) == 2 else (("top", "bottom"), ("left", "right"))
    sides = {
        f"crop_{name}": amount
        for (before, after), span, size in zip(names, spans, x, strict=False)
        for name, amount in ((before, span.start), (after, size - span.stop))
    }
    kept = (*(len(span) for span in spans),)
    form = context.format(op.inputs[0])
    cropped = f"{op.output}/cropped" if op.operator.squeezed else op.output
    class_name = f"Cropping{len(x) - 1}D"
    context.add(class_name, op.inputs, cropped, {**extents(x, kept), **sides}, form=form)
    if op.operator.squeezed:
        context.reshape(cropped, op.output)


@emitter(ResizeNearest)
def resize(op: Op, context: Context) -> None:
    """Each pixel repeated a whole number of times."""
    assert isinstance(op.operator, ResizeNearest)
    x, y = context.shape(op.inputs[0]), context.shape(op.output)
    if y[0] % x[0] or y[1] % x[1] or op.operator.align_corners:
        raise refused(op, f"hls4ml repeats whole pixels: {x[:2]} does not become {y[:2]} that way")
    attributes = {**extents(x, y), "algorithm": "nearest"}
    context.add("Resize", op.inputs, op.output, attributes, form=context.format(op.inputs[0]))


@emitter(Gather)
def embed(op: Op, context: Context) -> None:
    """Rows of a constant."""
    assert isinstance(op.operator, Gather)
    table, indices = op.inputs
    if not context.tensor(table).is_constant or op.operator.axis != 0:
        raise refused(op, "hls4ml looks up rows of constants only")
    rows = context.data(table)
    if rows.ndim != 2 or len(context.shape(indices)) != 1:
        raise refused(op, "hls4ml's Embedding gives one row for each step of a sequence")
    form = FixedFormat.of(rows)
    context.add(
        "Embedding",
        [indices],
        op.output,
        {"n_in": context.shape(indices)[0], "n_out": rows.shape[1], "vocab_size": len(rows)},
        weights={"embeddings_data": form.round(rows)},
        precision={"embeddings": type_of(form)},
        form=form,
    )


def extents(x: tuple[int, ...], y: tuple[int, ...]) -> dict[str, int | str]:
    """Sizes of an image or a sequence before and after."""
    result: dict[str, int | str] = {
        "in_width": x[-2],
        "out_width": y[-2],
        "n_chan": x[-1],
        "data_format": "channels_last",
    }
    if len(x) == LARGEST_RANK:
        result.update(in_height=x[0], out_height=y[0])
    return result
