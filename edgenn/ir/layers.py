"""Which ops of a graph a Keras layer became.

Tensors are named after the layers that make them, so an op's name says its layer. Simplifying
makes one op of several layers: a convolution with the batch norm and the ReLU behind it is called
like the ReLU. What each op was made of is kept in ``Graph.metadata``, so that any of the three
names finds it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from edgenn.errors import UsageError
from edgenn.ir.graph import Graph, Op
from edgenn.nearest import nearest

LAYERS: Final = "layers"
"""Key of ``Graph.metadata``: paths of the model's layers, as tensors are named after them."""
ORIGINS: Final = "origins"
"""Key of ``Graph.metadata``: output of an op → names of the ops, and of their results, that it
was made of."""

CALL: Final = re.compile(r"@\d+")
"""The second call of a shared layer is ``path@2``."""


def with_origins(graph: Graph, before: Graph) -> Graph:
    """A simplified graph that says of each op what it was made of.

    An op computes its results from its inputs; so did the ops of the graph before that lie
    between tensors of these names.
    """
    known: Mapping[str, tuple[str, ...]] = before.metadata.get(ORIGINS, {})
    made = {*graph.producers, *graph.inputs.values()}
    origins: dict[str, tuple[str, ...]] = {}
    for op in graph.ops:
        found: dict[str, None] = {}
        pending, seen = list(op.outputs), set[str]()
        while pending:
            source = before.producers.get(pending.pop())
            if source is None or source.name in seen:
                continue
            seen.add(source.name)
            for name in source.outputs:
                found.update(dict.fromkeys((name, *known.get(name, ()))))
            pending.extend(name for name in source.inputs if name not in made)
        origins.update(dict.fromkeys(op.outputs, tuple(found)))
    return graph.with_(metadata={**graph.metadata, ORIGINS: origins})


def prefixes(name: str) -> Iterator[str]:
    """``a/b/c``, ``a/b``, ``a``."""
    parts = name.split("/")
    for count in range(len(parts), 0, -1):
        yield "/".join(parts[:count])


def names_of(graph: Graph, op: Op) -> set[str]:
    """What an op is called, and what all that it was made of was called.

    Ops that later steps have added belong to the op whose name theirs begins with. Graphs that
    know no origins, such as those of files, have the names of weights instead.
    """
    names = {op.name, *op.outputs}
    origins: Mapping[str, tuple[str, ...]] | None = graph.metadata.get(ORIGINS)
    if origins is None:
        return names | {name for name in op.inputs if graph.tensors[name].is_constant}
    owner = next((prefix for prefix in prefixes(op.outputs[0]) if prefix in origins), None)
    return names if owner is None else names.union(origins[owner])


def is_of(name: str, layer: str) -> bool:
    """Whether a tensor's name is that of a layer or of something in it, in whichever call."""
    return any(
        own == layer or own.startswith((f"{layer}/", f"{layer}@")) for own in (name, uncalled(name))
    )


def uncalled(name: str) -> str:
    """The name without the number of a shared layer's call."""
    return CALL.sub("", name)


def ops_of_layer(graph: Graph, layer: str) -> frozenset[str]:
    """Names of the ops that a layer became; none where it left nothing behind.

    Args:
        layer: A Keras layer's path, such as ``block_1/conv``, or that of a part of one.
    """
    return frozenset(
        op.name for op in graph.ops if any(is_of(name, layer) for name in names_of(graph, op))
    )


def layer_paths(graph: Graph) -> list[str]:
    """Paths of the model's layers; where they are not known, what the ops' names begin with."""
    known: Sequence[str] = graph.metadata.get(LAYERS, ())
    return list(known or dict.fromkeys(op.name.split("/")[0] for op in graph.ops))


def chosen_layers(graph: Graph, patterns: Iterable[str], purpose: str) -> tuple[str, ...]:
    """The layers that are meant by paths and by shell-style patterns (``block_3*``).

    Args:
        purpose: What they are to become, for errors: ``to keep in float32``.

    Raises:
        UsageError: No such layer, or one with nothing to quantise.
    """
    chosen: dict[str, None] = {}
    for pattern in patterns:
        chosen.update(dict.fromkeys(layers_meant(graph, pattern, purpose)))
    return tuple(path for path in chosen if not any(map(chosen.__contains__, above(path))))


def above(path: str) -> list[str]:
    """The layers around a layer."""
    return list(prefixes(path))[1:]


def layers_meant(graph: Graph, pattern: str, purpose: str) -> list[str]:
    """The layers of one pattern that have something to quantise, at least one."""
    paths = layer_paths(graph)
    found = [pattern] if pattern in paths or ops_of_layer(graph, pattern) else []
    found = found or [path for path in paths if fnmatchcase(path, pattern)]
    if not found:
        same = [path for path in paths if path.split("/")[-1] == pattern]
        hint = f"most like it: {', '.join(same)}" if same else nearest(pattern, paths)
        raise UsageError(f"no layer {pattern!r} {purpose}", hint)
    real = [path for path in found if has_real_numbers(graph, path)]
    if not real:
        raise UsageError(
            f"layer {pattern!r} has nothing to quantise: it became no op on real numbers",
            "name a layer that computes",
        )
    return real


def has_real_numbers(graph: Graph, layer: str) -> bool:
    """Whether a layer became an op that reads or makes real numbers."""
    own = ops_of_layer(graph, layer)
    return any(
        graph.tensors[name].dtype == "float32"
        for op in graph.ops
        if op.name in own
        for name in (*op.inputs, *op.outputs)
    )
