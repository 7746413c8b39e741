"""The options and parameters of an op."""

from math import prod
from typing import Any

import numpy as np

from edgenn.placement.program import Node
from edgenn.placement.quantities.registry import FUNCTIONS, Answer, Asked, quantity
from edgenn.placement.roles import first, parameters

ATTRIBUTES = (
    "align_corners",
    "half_pixel_centers",
    "keep_num_dims",
    "new_axis_mask",
    "shrink_axis_mask",
    "ellipsis_mask",
    "batch_dims",
    "version",
    "beta",
    "exclusive",
    "reverse",
)
"""Quantities that are the option of that name."""


def option(name: str) -> None:
    def function(asked: Asked) -> Answer:
        value: Answer = asked.node.attributes.get(name)
        return value

    FUNCTIONS[name] = function


for _name in ATTRIBUTES:
    option(_name)

AXES_IN = frozenset(
    {"MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "REDUCE_ANY", "REDUCE_ALL"}
) | frozenset({"ARG_MAX", "ARG_MIN", "REVERSE_V2", "CUMSUM", "EXPAND_DIMS", "SPLIT", "SPLIT_V"})
"""Ops whose last parameter is the axis or axes."""


@quantity
def activation(asked: Asked) -> Answer:
    value = asked.node.attributes.get("fused_activation_function")
    return None if value is None else str(value)


def axes(node: Node) -> tuple[int, ...] | None:
    """Counted from the front; ``None`` where it has none or they are not in the file."""
    x = first(node)
    given: Any = node.attributes.get("axis")
    if node.kind in AXES_IN:
        data = next((value.data for value in reversed(parameters(node))), None)
        given = None if data is None else data.reshape(-1).tolist()
    if given is None or x is None:
        return None
    rank = x.rank + (node.kind in ("PACK", "EXPAND_DIMS"))
    listed = given if isinstance(given, list | tuple) else [given]
    return tuple(int(axis) + rank if axis < 0 else int(axis) for axis in listed)


@quantity
def axis(asked: Asked) -> Answer:
    return axes(asked.node)


@quantity
def reduced(asked: Asked) -> Answer:
    sizes = reduced_size(asked)
    return None if sizes is None else prod(sizes)


@quantity
def reduced_size(asked: Asked) -> tuple[int, ...] | None:
    along, x = axes(asked.node), first(asked.node)
    if along is None or x is None or asked.node.kind not in AXES_IN:
        return None
    return tuple(x.shape[axis] or 1 for axis in along if axis < x.rank)


@quantity
def reduces_depth(asked: Asked) -> Answer:
    along, x = axes(asked.node), first(asked.node)
    return None if along is None or x is None else x.rank - 1 in along


@quantity
def smallest_size(asked: Asked) -> Answer:
    x = first(asked.node)
    if x is None:
        return None
    return 1 if x.rank < 3 else min(size or 1 for size in x.shape[-3:])


@quantity
def permutation(asked: Asked) -> Answer:
    if asked.node.kind == "TRANSPOSE":
        data = next((value.data for value in parameters(asked.node)), None)
        return None if data is None else "".join(str(axis) for axis in data.tolist())
    given = asked.node.attributes.get("perm")
    return None if given is None else "".join(str(axis) for axis in given)


@quantity
def permutation_4d(asked: Asked) -> Answer:
    given = permutation(asked)
    if not isinstance(given, str):
        return None
    more = 4 - len(given)
    return "0123"[:more] + "".join(str(int(axis) + more) for axis in given) if more > 0 else given


@quantity
def index_rank(asked: Asked) -> Answer:
    if asked.node.kind not in ("GATHER", "GATHER_ND", "Gather"):
        return None
    return next((value.rank for value in parameters(asked.node)), None)


def steps(node: Node) -> list[int] | None:
    """Of a STRIDED_SLICE, one for each axis that it has bounds for."""
    value = node.input(3) if node.kind == "STRIDED_SLICE" else None
    return None if value is None or value.data is None else value.data.reshape(-1).tolist()


@quantity
def step(asked: Asked) -> Answer:
    given = steps(asked.node)
    return None if given is None else tuple(given)


@quantity
def step_depth(asked: Asked) -> Answer:
    given, x = steps(asked.node), first(asked.node)
    if given is None or x is None:
        return None
    return given[-1] if len(given) == x.rank else 1


@quantity
def step_batch(asked: Asked) -> Answer:
    given, x = steps(asked.node), first(asked.node)
    return None if given is None or x is None else tuple(given[: max(0, x.rank - 3)])


@quantity
def bounds(asked: Asked) -> Answer:
    given, x = steps(asked.node), first(asked.node)
    return None if given is None or x is None else len(given) - x.rank


PADS = frozenset({"PAD", "PADV2", "MIRROR_PAD"})


def paddings(node: Node) -> Any:
    """Rows of (before, behind), one for each axis; ``None`` where it is no pad."""
    value = node.input(1) if node.kind in PADS else None
    return None if value is None or value.data is None else value.data.reshape(-1, 2)


@quantity
def padded_axes(asked: Asked) -> Answer:
    rows = paddings(asked.node)
    return None if rows is None else tuple(np.flatnonzero(rows.any(axis=1)).tolist())


@quantity
def padding_rows(asked: Asked) -> Answer:
    rows = paddings(asked.node)
    return None if rows is None else len(rows)


@quantity
def mirror(asked: Asked) -> Answer:
    value = asked.node.attributes.get("mode")
    return None if value is None else str(value)


@quantity
def lstm(asked: Asked) -> Answer:
    if asked.node.kind != "UNIDIRECTIONAL_SEQUENCE_LSTM":
        return None
    parts = {"peephole": range(9, 12), "projection": range(16, 18), "normalisation": range(20, 24)}
    for name, inputs in parts.items():
        if any(asked.node.input(index) is not None for index in inputs):
            return name
    return "cifg" if asked.node.input(1) is None else "plain"


@quantity
def cell_activations(asked: Asked) -> Answer:
    given = asked.node.attributes.get("activations")
    if given is None:
        return None
    return tuple(name.decode() if isinstance(name, bytes) else str(name) for name in given)
