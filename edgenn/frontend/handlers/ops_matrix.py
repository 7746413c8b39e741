"""``keras.ops``: matrix products and attention."""

import string
from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np

from edgenn.frontend.compose.einsum import einsum
from edgenn.frontend.context import Context
from edgenn.frontend.handlers.ops_arithmetic import promoted
from edgenn.frontend.handlers.ops_logic import truth
from edgenn.frontend.keras_operations import operations
from edgenn.frontend.registry import handler
from edgenn.ir.ops import Add, Mul, Select, Softmax, Tile

MASKED = -3.0e38
"""Stands for minus infinity under a softmax."""


def listed(axis: int | Sequence[int]) -> list[int]:
    return [axis] if isinstance(axis, int) else list(axis)


@handler(*operations("Einsum"))
def einsum_operation(context: Context, op: Any, *operands: Any) -> str:
    """One or two tensors, no diagonals."""
    return einsum(context, op.subscripts, *promoted(context, *operands))


@handler(*operations("Matmul"))
def matmul(context: Context, op: Any, x1: Any, x2: Any) -> str:
    """Any ranks; a constant on the right becomes a dense layer's weights."""
    a, b = promoted(context, x1, x2)
    if context.rank(a) == 1 or context.rank(b) == 1:
        left = "k" if context.rank(a) == 1 else "...k"
        right = "k" if context.rank(b) == 1 else "...kj"
        output = "..." + ("j" if context.rank(b) > 1 else "")
        return einsum(context, f"{left},{right}->{output}", a, b)
    return einsum(
        context, "...ik,kj->...ij" if context.rank(b) == 2 else "...ik,...kj->...ij", a, b
    )


@handler(*operations("Dot"))
def dot(context: Context, op: Any, x1: Any, x2: Any) -> str:
    """The last axis of one with the last but one of the other."""
    a, b = promoted(context, x1, x2)
    if 0 in (context.rank(a), context.rank(b)):
        return context.add(Mul(), [a, b])
    left, right = distinct_letters(context.rank(a), context.rank(b))
    axis = -1 if len(right) == 1 else -2
    right_list = list(right)
    right_list[axis] = left[-1]
    joined = "".join(right_list)
    output = left[:-1] + "".join(s for s in joined if s != left[-1])
    return einsum(context, f"{left},{joined}->{output}", a, b)


@handler(*operations("Tensordot"))
def tensordot(context: Context, op: Any, x1: Any, x2: Any) -> str:
    """Over a number of axes, or given axes."""
    a, b = promoted(context, x1, x2)
    left, right = distinct_letters(context.rank(a), context.rank(b))
    if isinstance(op.axes, int):
        pairs = list(zip(range(len(left) - op.axes, len(left)), range(op.axes), strict=True))
    else:
        first, second = (listed(axes) for axes in op.axes)
        pairs = list(zip(first, second, strict=True))
    joined = list(right)
    for i, j in pairs:
        joined[j] = left[i]
    lost = {left[i] for i, _ in pairs}
    output = "".join(letter for letter in (*left, *joined) if letter not in lost)
    return einsum(context, f"{left},{''.join(joined)}->{output}", a, b)


@handler(*operations("Outer"))
def outer(context: Context, op: Any, x1: Any, x2: Any) -> str:
    """Of two vectors."""
    return einsum(context, "i,j->ij", *promoted(context, x1, x2))


def distinct_letters(rank_a: int, rank_b: int) -> tuple[str, str]:
    letters = string.ascii_lowercase
    return letters[:rank_a], letters[rank_a : rank_a + rank_b]


@handler(*operations("DotProductAttention"))
def dot_product_attention(
    context: Context,
    op: Any,
    query: str,
    key: str,
    value: str,
    bias: Any = None,
    mask: Any = None,
    scale: Any = None,
) -> str:
    """Scaled dot products (Vaswani et al. 2017, 1706.03762), masks, grouped heads."""
    heads, groups = context.size(query, 2), context.size(key, 2)
    if heads != groups:
        key, value = (repeated_heads(context, x, heads // groups) for x in (key, value))
    factor = 1 / sqrt(context.size(key, 3)) if scale is None else scale
    scores = einsum(context, "btnh,bsnh->bnts", context.apply(Mul(), query, factor), key)
    if bias is not None:
        scores = context.apply(Add(), scores, bias)
    if op.is_causal:
        rows, columns = context.size(scores, 2), context.size(scores, 3)
        scores = masked(context, scores, np.tri(rows, columns, dtype=bool))
    if mask is not None:
        scores = masked(context, scores, mask)
    return einsum(context, "bnts,bsnh->btnh", context.apply(Softmax(), scores), value)


def masked(context: Context, scores: str, mask: Any) -> str:
    """The scores where the mask holds, next to minus infinity elsewhere."""
    low = context.operand(MASKED, context.dtype(scores))
    return context.add(Select(), [truth(context, mask), scores, low])


def repeated_heads(context: Context, x: str, times: int) -> str:
    """Each head of ``(batch, time, heads, size)`` several times in a row."""
    batch, steps, heads, size = context.shape(x)
    tiled = context.add(Tile((1, 1, 1, times, 1)), [context.expand_dims(x, 3)])
    return context.reshape(tiled, (batch, steps, (heads or 0) * times, size))
