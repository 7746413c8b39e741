"""Which names in two graphs mean the same value, and which layer a name belongs to.

Quantisation and lowering add words to the names of Keras layers: ``gru/float`` is what ``gru`` is
rounded from, ``x/dequantized`` is ``x`` as a float op reads it. Without these words the names of
a float graph and of an artifact agree.
"""

import re
from collections.abc import Mapping
from typing import Final

from edgenn.ir.graph import Graph
from edgenn.ir.layers import LAYERS, prefixes, uncalled

INSIDE: Final = frozenset({"float"})
"""Words that stand anywhere in a path."""
AT_THE_END: Final = re.compile(
    r"(dequantized|requantized|corrected|with_ends|u?int8|int16|float32)(_\d+)?"
)
"""Words that only end a path."""
COPY: Final = re.compile(r"step_\d+")
"""The copies of a cell, in unrolled layers."""


def plain(name: str) -> str:
    """The name without what quantisation and lowering have added."""
    first, *rest = name.split("/")
    parts = [first, *(part for part in rest if part not in INSIDE)]
    while len(parts) > 1 and AT_THE_END.fullmatch(parts[-1]):
        parts.pop()
    return "/".join(parts)


def without_copies(name: str) -> str:
    """The plain name, the same for all copies of an unrolled cell."""
    return "/".join(part for part in plain(name).split("/") if not COPY.fullmatch(part))


def layer_of(name: str, graph: Graph) -> str:
    """The Keras layer that a tensor belongs to: the innermost one whose path its own begins with.

    Args:
        graph: The float graph. Where it does not know its layers, they are called like its tensors.
    """
    parts = plain(name)
    known = set(graph.metadata.get(LAYERS, ()))
    for prefix in prefixes(parts):
        if prefix in known or uncalled(prefix) in known:
            return prefix
    computed = {n for n, tensor in graph.tensors.items() if not tensor.is_constant}
    return next((prefix for prefix in reversed(list(prefixes(parts))) if prefix in computed), parts)


def layers_of(graph: Graph) -> Mapping[str, str]:
    """Computed tensor → its layer."""
    return {
        name: layer_of(name, graph)
        for name, tensor in graph.tensors.items()
        if not tensor.is_constant
    }
