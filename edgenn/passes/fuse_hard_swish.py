"""Recognises hard-swish where it was written out as arithmetic."""

from math import isclose

from edgenn.ir.graph import Op
from edgenn.ir.operator import Activation
from edgenn.ir.ops import Add, Div, HardSwish, Mul, Relu6
from edgenn.passes.base import Pass
from edgenn.passes.rewriter import Rewriter


class FuseHardSwish(Pass):
    """Fuses hard-swish.

    Rules:

    1. ``x * relu6(x + 3) / 6`` becomes hard_swish, wherever the division (or a multiplication
       by 1/6) stands in the product (Howard et al. 2019, arXiv 1905.02244).
    """

    name = "fuse_hard_swish"

    def rewrite(self, op: Op, graph: Rewriter) -> None:
        if not isinstance(op.operator, Mul | Div):
            return
        if op.operator.activation is not Activation.NONE:
            return
        number, factors = product_of(op.output, graph)
        if len(factors) != 2 or not isclose(number, 1 / 6, rel_tol=1e-6):
            return
        for x, gate in (factors, reversed(factors)):
            same_shape = graph.tensors[x].shape == graph.tensors[op.output].shape
            if same_shape and relu6_of_x_plus_3(gate, graph) == x:
                graph.replace(op, graph.make(HardSwish(), [x], op.output))
                return


def product_of(name: str, graph: Rewriter) -> tuple[float, tuple[str, ...]]:
    """A tensor as a number times tensors, looking through products that nobody else reads."""
    op = graph.producer(name)
    assert op is not None
    number, factors = 1.0, list[str]()
    for position, source in enumerate(op.inputs):
        is_divisor = isinstance(op.operator, Div) and position == 1
        scalar = graph.value(source)
        if scalar is not None and scalar.size == 1 and scalar.dtype.kind == "f":
            number *= 1 / float(scalar.flat[0]) if is_divisor else float(scalar.flat[0])
        elif is_divisor:
            return 1.0, (name,)
        elif is_product(source, graph):
            inner_number, inner_factors = product_of(source, graph)
            number *= inner_number
            factors += inner_factors
        else:
            factors.append(source)
    return number, tuple(factors)


def is_product(name: str, graph: Rewriter) -> bool:
    """Whether a tensor that nobody else reads is a product, not clamped."""
    op = graph.producer(name)
    return (
        op is not None
        and isinstance(op.operator, Mul | Div)
        and op.operator.activation is Activation.NONE
        and graph.is_single_use(name)
    )


def relu6_of_x_plus_3(name: str, graph: Rewriter) -> str | None:
    """``x`` where the tensor is ``relu6(x + 3)``."""
    op = graph.producer(name)
    if op is not None and isinstance(op.operator, Relu6):
        name = op.inputs[0]
        op = graph.producer(name)
        wanted = Activation.NONE
    else:
        wanted = Activation.RELU6
    if op is None or not isinstance(op.operator, Add) or op.operator.activation is not wanted:
        return None
    for x, three in (op.inputs, reversed(op.inputs)):
        value = graph.value(three)
        if value is not None and value.size == 1 and value.flat[0] == 3:
            return x
    return None
