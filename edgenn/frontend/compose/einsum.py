"""Einstein summation as transposes, reshapes and one matrix product."""

import string
from collections.abc import Sequence
from math import prod

import numpy as np

from edgenn.frontend.compose.last_axes import with_last_axes
from edgenn.frontend.context import Context
from edgenn.ir.ops import Add, BatchMatMul, FullyConnected, Sum
from edgenn.ir.tensor import Array, Shape


def einsum(context: Context, equation: str, *operands: str, bias: Array | None = None) -> str:
    """``numpy.einsum`` of one or two tensors, plus a bias that broadcasts against the result.

    A product with a constant becomes a ``fully_connected``, any other a ``batch_matmul``.

    Raises:
        UnsupportedError: More than two operands, or an index twice in one operand.
    """
    terms, output = parse(context, equation, [context.rank(x) for x in operands])
    sizes: dict[str, int | None] = {}
    for term, x in zip(terms, operands, strict=True):
        for letter, size in zip(term, context.shape(x), strict=True):
            sizes[letter] = size if sizes.get(letter, 1) in (None, 1) else sizes[letter]
    reduced = []
    for i, (term, x) in enumerate(zip(terms, operands, strict=True)):
        kept = set(output).union(*(other for j, other in enumerate(terms) if j != i))
        lost = tuple(axis for axis, letter in enumerate(term) if letter not in kept)
        name = context.add(Sum(lost), [x]) if lost else x
        reduced.append(("".join(letter for letter in term if letter in kept), name))
    if len(reduced) == 1:
        ((term, x),) = reduced
        result = arrange(context, term, x, output)
    else:
        result, bias = product(context, reduced, output, sizes, bias)
    if bias is None:
        return result
    return context.apply(Add(), result, bias)


def parse(context: Context, equation: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """The index letters of each operand and of the result, ellipses written out."""
    left, arrow, output = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) > 2:
        raise context.unsupported(f"einsum of {len(terms)} tensors", "use einsums of two")
    free = [letter for letter in string.ascii_letters if letter not in equation]
    hidden = [rank - len(t.replace("...", "")) for t, rank in zip(terms, ranks, strict=True)]
    longest = "".join(free[: max(n for n in (0, *hidden))])
    terms = [
        t.replace("...", longest[len(longest) - n :]) for t, n in zip(terms, hidden, strict=True)
    ]
    if arrow:
        output = output.replace("...", longest)
    else:
        letters = "".join(terms)
        once = sorted(s for s in set(letters) if letters.count(s) == 1 and s not in longest)
        output = (longest if "..." in left else "") + "".join(once)
    if any(len(set(term)) < len(term) for term in terms):
        raise context.unsupported(f"einsum {equation!r} takes a diagonal", "avoid diagonals")
    return terms, output


def arrange(context: Context, term: str, x: str, order: str) -> str:
    """``x`` with its dimensions in another order."""
    return context.transpose(x, [term.index(letter) for letter in order])


def product(
    context: Context,
    operands: Sequence[tuple[str, str]],
    output: str,
    sizes: dict[str, int | None],
    bias: Array | None,
) -> tuple[str, Array | None]:
    """The product of two tensors; gives the bias back where it could not take it in."""
    (term_a, a), (term_b, b) = operands
    if context.tensor(a).is_constant and not context.tensor(b).is_constant:
        (term_a, a), (term_b, b) = (term_b, b), (term_a, a)
    shared = [s for s in term_a if s in term_b]
    batch = "".join(s for s in output if s in shared)
    inner = "".join(s for s in term_a if s in shared and s not in output)
    rows = "".join(s for s in output if s in term_a and s not in shared)
    columns = "".join(s for s in output if s in term_b and s not in shared)

    def shape(letters: str) -> Shape:
        return tuple(sizes[letter] for letter in letters)

    def merged(letters: str) -> int | None:
        known = shape(letters)
        return None if None in known else prod(size or 1 for size in known)

    weights = context.tensor(b).data
    if weights is not None and not batch:
        order = [term_b.index(letter) for letter in columns + inner]
        matrix = np.ascontiguousarray(weights.transpose(order)).reshape(
            merged(columns) or 1, merged(inner) or 1
        )
        arranged = arrange(context, term_a, a, rows + inner)
        inputs = [
            with_last_axes(context, arranged, len(rows), (matrix.shape[1],)),
            context.constant(matrix, "kernel"),
        ]
        if bias is not None and takes_bias(bias, columns, output, shape(columns)):
            inputs.append(context.constant(bias.reshape(-1), "bias"))
            bias = None
        result = context.add(FullyConnected(), inputs)
        made = tuple(weights.shape[term_b.index(letter)] for letter in columns)
        result = with_last_axes(context, result, len(rows), made)
        return arrange(context, rows + columns, result, output), bias

    def matrices(term: str, x: str, first: str, second: str) -> tuple[str, bool]:
        """``x`` as matrices of merged indices, transposed where that saves a transposition."""
        turned = term == batch + second + first and term != batch + first + second
        first, second = (second, first) if turned else (first, second)
        x = arrange(context, term, x, batch + first + second)
        own = tuple(context.shape(x)[: len(batch)])
        if len(first) != 1 or len(second) != 1:
            x = context.reshape(x, (*own, merged(first), merged(second)))
        return x, turned

    left, transpose_a = matrices(term_a, a, rows, inner)
    right, transpose_b = matrices(term_b, b, inner, columns)
    result = context.add(BatchMatMul(transpose_a, transpose_b), [left, right])
    if len(rows) != 1 or len(columns) != 1:
        result = context.reshape(result, (*shape(batch), *shape(rows), *shape(columns)))
    return arrange(context, batch + rows + columns, result, output), bias


def takes_bias(bias: Array, columns: str, output: str, shape: Shape) -> bool:
    """Whether a bias is one number for each column, in the order of the columns."""
    return (
        bool(columns)
        and output.endswith(columns)
        and (
            bias.shape[-len(columns) :] == shape and bias.size == prod(size or 0 for size in shape)
        )
    )
