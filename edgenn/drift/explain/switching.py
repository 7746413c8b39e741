"""One layer in float at a time: how much of the output's error goes.

Up to the layer everything is as the artifact computes it; the layer itself is that of the float
graph; what it gives is rounded to the artifact's grid, as the next layer wants it. Only the ops
behind it run again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from edgenn.drift.explain.comparison import Comparison, SharedTensor
from edgenn.drift.explain.matching import Match
from edgenn.drift.explain.names import layers_of
from edgenn.drift.explain.running import Switch, run
from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Array
from edgenn.progress import Progress

MOST_MACS: Final = 150_000_000_000
"""Multiplications that switching off may cost: some ten seconds on two cores."""
AT_A_TIME: Final = 8
"""Layers whose models are held in memory together."""


def regained(
    artifact: Graph,
    reference: Graph,
    comparison: Comparison,
    found: Match,
    suspects: Sequence[str],
    samples: Mapping[str, Array],
    progress: Progress,
) -> dict[str, float]:
    """Layer → the share of the outputs' squared error that goes when it alone is float.

    Args:
        suspects: Layers, the most suspicious first; those that there is no time for are left out.

    Raises:
        EngineError: The engine crashed or took too long.
    """
    outputs = outputs_of(artifact, comparison, found)
    if not outputs or not suspects:
        return {}
    count = len(next(iter(samples.values())))
    switches = affordable(
        (switch_off(layer, artifact, reference, comparison, found, outputs) for layer in suspects),
        count,
    )
    unchanged = nothing_off(artifact, outputs)
    errors: dict[str, float] = {}
    for start in range(0, len(switches), AT_A_TIME):
        group = [unchanged, *switches[start : start + AT_A_TIME]]
        answer = run(artifact, needed(comparison, group), samples, group, progress)
        before, *after = answer.values["switches"]
        for switch, each in zip(group[1:], after, strict=True):
            errors[switch.layer] = share_regained(before, each)
    return errors


def nothing_off(artifact: Graph, outputs: Mapping[str, str]) -> Switch:
    """The artifact as it is."""
    return Switch("", artifact.with_(ops=(), inputs={}, outputs={}), {}, outputs)


def share_regained(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    """Of all outputs, each by its own error."""
    shares = [1 - after[name] / before[name] for name in before if before[name] > 0]
    return sum(shares) / len(shares) if shares else 0.0


def affordable(switches: Iterator[Switch | None], samples: int) -> list[Switch]:
    """As many as there is time for."""
    chosen: list[Switch] = []
    macs = 0
    for switch in switches:
        if switch is None:
            continue
        macs += switch.behind.macs() * samples
        if chosen and macs > MOST_MACS:
            break
        chosen.append(switch)
    return chosen


def outputs_of(artifact: Graph, comparison: Comparison, found: Match) -> dict[str, str]:
    """The artifact's outputs of real numbers → what they should be, in the comparison."""
    free = {entry.name: entry.free for entry in comparison.shared}
    return {
        name: free[found.meaning[name]]
        for name in artifact.outputs.values()
        if found.meaning.get(name) in free
    }


def switch_off(
    layer: str,
    artifact: Graph,
    reference: Graph,
    comparison: Comparison,
    found: Match,
    outputs: Mapping[str, str],
) -> Switch | None:
    """The artifact with one layer in float; ``None`` where it is no layer that computes."""
    owner = layers_of(reference)
    given = {
        entry.name: entry
        for entry in comparison.shared
        if owner[entry.name] == layer and is_result(entry, reference, owner)
    }
    replaced = {
        theirs: given[ours].layered for theirs, ours in found.meaning.items() if ours in given
    }
    if not replaced:
        return None
    return Switch(layer, behind(artifact, set(replaced)), replaced, outputs)


def is_result(entry: SharedTensor, reference: Graph, owner: Mapping[str, str]) -> bool:
    """Whether a tensor is what its layer gives, not something inside of it."""
    if entry.name in reference.inputs.values():
        return False
    layer = owner[entry.name]
    readers = reference.consumers[entry.name]
    return reference.is_output(entry.name) or any(
        owner.get(name) != layer for op in readers for name in op.outputs
    )


def behind(artifact: Graph, replaced: set[str]) -> Graph:
    """The ops that depend on tensors; what else they read is an input, too."""
    reached = set(replaced)
    ops = []
    for op in artifact.ops:
        if not reached.isdisjoint(op.inputs) and replaced.isdisjoint(op.outputs):
            ops.append(op)
            reached.update(op.outputs)
    made = {name for op in ops for name in op.outputs}
    read = [n for op in ops for n in op.inputs if not artifact.tensors[n].is_constant]
    inputs = {name: name for name in dict.fromkeys(read) if name not in made}
    outputs = {name: name for name in artifact.outputs.values() if name in made}
    graph = artifact.with_(ops=tuple(ops), inputs=inputs, outputs=outputs, metadata={}).pruned()
    read = [name for op in graph.ops for name in op.inputs]
    return graph.with_(inputs={name: name for name in inputs if name in read})


def needed(comparison: Comparison, switches: Sequence[Switch]) -> Comparison:
    """The comparison without what switching off does not look at."""
    names = {name for s in switches for name in (*s.replaced.values(), *s.outputs.values())}
    outputs = {name: name for name in comparison.graph.outputs if name in names}
    graph = comparison.graph.with_(outputs=outputs).pruned()
    read = {name for op in graph.ops for name in op.inputs}
    inputs = {public: name for public, name in graph.inputs.items() if name in read}
    kept = graph.with_(inputs=inputs)
    return replace(comparison, graph=kept, shared=[], arithmetic=[])
