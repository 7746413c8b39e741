"""What an op reads and makes: dtypes, shapes, scales, and how they go together."""

from collections.abc import Callable, Iterable
from math import prod

from edgenn.placement.program import Value
from edgenn.placement.quantities.registry import Answer, Asked, quantity
from edgenn.placement.roles import activations, bias, first, flowing, parameters, weights

QUANTIZED_DTYPES = frozenset({"int4", "uint4", "int8", "uint8", "int16", "uint16"})
"""What stands for real numbers only with a scale."""


@quantity
def dtype(asked: Asked) -> Answer:
    return distinct(value.dtype for value in flowing(asked.node))


@quantity
def input_dtype(asked: Asked) -> Answer:
    return distinct(value.dtype for value in activations(asked.node))


@quantity
def output_dtype(asked: Asked) -> Answer:
    return distinct(value.dtype for value in asked.node.outputs)


@quantity
def stored_dtype(asked: Asked) -> Answer:
    return distinct(value.stored or value.dtype for value in asked.node.outputs)


@quantity
def weight_dtype(asked: Asked) -> Answer:
    return distinct(value.dtype for value in weights(asked.node)) or None


@quantity
def bias_dtype(asked: Asked) -> Answer:
    value = bias(asked.node)
    return None if value is None else value.dtype


@quantity
def runtime_dtype(asked: Asked) -> Answer:
    values = (*asked.node.given, *asked.node.outputs)
    return distinct(value.dtype for value in values if not value.constant)


@quantity
def runtime_rank(asked: Asked) -> Answer:
    return tuple(v.rank for v in flowing(asked.node) if v.ranked and not v.constant)


@quantity
def rank(asked: Asked) -> Answer:
    return tuple(value.rank for value in flowing(asked.node) if value.ranked)


@quantity
def input_rank(asked: Asked) -> Answer:
    value = first(asked.node)
    return None if value is None or not value.ranked else value.rank


@quantity
def output_rank(asked: Asked) -> Answer:
    return next((value.rank for value in asked.node.outputs if value.ranked), None)


@quantity
def size(asked: Asked) -> Answer:
    return tuple(n for value in flowing(asked.node) for n in value.shape if n is not None)


@quantity
def batch(asked: Asked) -> Answer:
    return tuple(v.shape[0] or 1 if v.rank == 4 else 1 for v in activations(asked.node))


@quantity
def channels(asked: Asked) -> Answer:
    value = first(asked.node)
    return None if value is None or not value.shape else value.shape[-1]


@quantity
def channels_mod_4(asked: Asked) -> Answer:
    count = channels(asked)
    return count % 4 if isinstance(count, int) else None


@quantity
def rows(asked: Asked) -> Answer:
    value = first(asked.node)
    return None if value is None or not value.shape else prod(n or 1 for n in value.shape[:-1])


@quantity
def inputs(asked: Asked) -> Answer:
    return len(asked.node.inputs)


@quantity
def outputs(asked: Asked) -> Answer:
    return len(asked.node.outputs)


@quantity
def fixed(asked: Asked) -> Answer:
    return all(value.is_fixed for value in (*asked.node.given, *asked.node.outputs))


@quantity
def fixed_inside(asked: Asked) -> Answer:
    values = (*asked.node.given, *asked.node.outputs)
    return all(value.ranked and None not in value.shape[1:] for value in values)


@quantity
def quantized(asked: Asked) -> Answer:
    return all(v.scales for v in flowing(asked.node) if v.dtype in QUANTIZED_DTYPES)


@quantity
def per_channel(asked: Asked) -> Answer:
    return any(len(value.scales) > 1 for value in flowing(asked.node))


@quantity
def per_channel_weights(asked: Asked) -> Answer:
    found = weights(asked.node)
    return any(len(value.scales) > 1 for value in found) if found else None


@quantity
def zero_point(asked: Asked) -> Answer:
    return tuple(point for value in flowing(asked.node) for point in value.zero_points)


@quantity
def constant_weights(asked: Asked) -> Answer:
    found = weights(asked.node)
    return all(value.constant for value in found) if found else None


@quantity
def constant_bias(asked: Asked) -> Answer:
    value = bias(asked.node)
    return None if value is None else value.constant


@quantity
def constant_parameters(asked: Asked) -> Answer:
    return all(value.constant or value.variable for value in parameters(asked.node))


@quantity
def constant_inputs(asked: Asked) -> Answer:
    return sum(value.constant for value in activations(asked.node))


@quantity
def first_constant(asked: Asked) -> Answer:
    value = first(asked.node)
    return None if value is None else value.constant


@quantity
def variables(asked: Asked) -> Answer:
    return sum(value.variable for value in asked.node.given)


@quantity
def in_loop(asked: Asked) -> Answer:
    return asked.in_loop


@quantity
def border_dtype(asked: Asked) -> Answer:
    values = (*asked.node.given, *asked.node.outputs)
    return distinct(value.dtype for value in values if value in asked.border)


@quantity
def same_dtype(asked: Asked) -> Answer:
    return agree(asked, lambda value: value.dtype)


@quantity
def same_shape(asked: Asked) -> Answer:
    return agree(asked, lambda value: value.shape)


@quantity
def same_scale(asked: Asked) -> Answer:
    return agree(asked, lambda value: (value.scales, value.zero_points))


@quantity
def broadcasts(asked: Asked) -> Answer:
    return len({value.shape for value in activations(asked.node)}) > 1


@quantity
def distinct_inputs(asked: Asked) -> Answer:
    values = activations(asked.node)
    return len(set(values)) == len(values)


def agree(asked: Asked, key: Callable[[Value], object]) -> bool:
    return len({key(value) for value in flowing(asked.node)}) == 1


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
