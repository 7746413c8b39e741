"""Two recurrent layers over the same input, one forward and one in reverse, as one node.

ONNX's recurrent operators have a direction ``bidirectional`` that is both.
"""

from collections.abc import Iterable
from dataclasses import fields

from edgenn.ir.graph import Graph, Op
from edgenn.ir.ops.conversion import Dequantize
from edgenn.ir.ops.recurrent import Recurrent

PER_DIRECTION = frozenset({"reverse", "activation", "recurrent_activation", "zero_output_for_mask"})
"""Attributes that the two of a pair may differ in."""


def directions(graph: Graph) -> dict[str, tuple[Op, ...]]:
    """First output of a recurrent op → the ops that are written as one node in its place.

    That is the op alone, or the forward and the reverse one of a pair, or nothing where the
    other of the pair is written in another place.
    """
    layers = [
        (position, op)
        for position, op in enumerate(graph.ops)
        if isinstance(op.operator, Recurrent)
    ]
    result: dict[str, tuple[Op, ...]] = {}
    for index, (start, first) in enumerate(layers):
        if first.outputs[0] in result:
            continue
        result[first.outputs[0]] = (first,)
        for end, second in layers[index + 1 :]:
            if second.outputs[0] not in result and match(graph, first, second):
                lead = meeting_point(graph, start, end)
                if lead is not None:
                    result[first.outputs[0]] = result[second.outputs[0]] = ()
                    result[graph.ops[lead].outputs[0]] = in_order(first, second)
                    break
    return result


def in_order(first: Op, second: Op) -> tuple[Op, Op]:
    """The forward op, then the reverse one."""
    assert isinstance(first.operator, Recurrent)
    return (second, first) if first.operator.reverse else (first, second)


def match(graph: Graph, first: Op, second: Op) -> bool:
    """Whether two ops are the two directions over the same input."""
    one, other = first.operator, second.operator
    if type(one) is not type(other):
        return False
    assert isinstance(one, Recurrent) and isinstance(other, Recurrent)
    return (
        one.reverse != other.reverse
        and all(
            getattr(one, field.name) == getattr(other, field.name)
            for field in fields(one)
            if field.name not in PER_DIRECTION
        )
        and first.inputs[0] == second.inputs[0]
        and one.mask(first.inputs) == other.mask(second.inputs)
        and weight_dtypes(graph, first) == weight_dtypes(graph, second)
    )


def weight_dtypes(graph: Graph, op: Op) -> list[str]:
    """How the two kernels are stored."""
    return [graph.tensors[name].dtype for name in op.inputs[1:3]]


def meeting_point(graph: Graph, first: int, second: int) -> int | None:
    """The position of the op that can be written for both; ``None`` if neither can.

    The first, if all that the second reads is there already; else the second, if nobody reads
    the first's outputs before.
    """
    later = {name for op in graph.ops[first:second] if not is_widening(graph, op)
             for name in op.outputs}  # fmt: skip
    if later.isdisjoint(graph.ops[second].inputs):
        return first
    between = names_read(graph.ops[first + 1 : second + 1])
    return second if between.isdisjoint(graph.ops[first].outputs) else None


def is_widening(graph: Graph, op: Op) -> bool:
    """Whether the op makes a float32 constant of a stored one, which is there at any time."""
    return isinstance(op.operator, Dequantize) and graph.tensors[op.inputs[0]].is_constant


def names_read(ops: Iterable[Op]) -> set[str]:
    return {name for op in ops for name in op.inputs}
