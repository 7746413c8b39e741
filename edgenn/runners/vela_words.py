"""What Vela says, in terms of the file that it compiles."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from edgenn.placement.macs import macs_of
from edgenn.placement.program import Program
from edgenn.runners.facts import Facts, Fallback, LayerCost

ON_THE_CPU = re.compile(
    r"^Warning \(supported operators\) operator: (?P<op>\S+), ofm: '(?P<layer>.*)'\n"
    r"Reason: (?P<reason>.*)\n(?P<limit>(?:.+\n)?)(?P<more>.*)",
    re.M,
)


def fallbacks(text: str) -> Iterator[Fallback]:
    """The ops that Vela leaves to the CPU, in the file's order, and why.

    The limit that an op breaks comes along where Vela tells it in one line.
    """
    said = reversed(list(ON_THE_CPU.finditer(text)))  # it goes through a file from its end
    for match in said:
        op, layer, reason, limit, more = (part.strip() for part in match.groups())
        told = f"{reason.rstrip('.')}. {limit}" if limit and not more else reason
        yield Fallback(op, layer, told)


def in_terms_of(program: Program, facts: Facts) -> Facts:
    """The same, with the file's ops for Vela's, and with the multiplications on the CPU."""
    nodes = {node.name: node for node, _ in program.nodes}
    runs = program.runs()
    macs = {node.name: macs_of(node) * runs[section] for node, section in program.nodes}
    left = [
        # Vela parts a convolution from its activation, and names the latter
        replace(entry, op=nodes[entry.layer].kind) if entry.layer in nodes else entry
        for entry in facts.fallbacks
    ]
    on_npu = facts.accelerator_macs or 0
    return replace(
        facts,
        fallbacks=tuple(left),
        macs=on_npu + sum(macs.get(entry.layer, 0) for entry in left),
        layers=tuple(gathered(facts.layers, {name: node.kind for name, node in nodes.items()})),
    )


def gathered(parts: Iterable[LayerCost], kinds: Mapping[str, str]) -> Iterator[LayerCost]:
    """One cost for each op of the file.

    Vela makes several ops of one: 28 of a softmax, and for each step those of an LSTM's gates.
    The last of them makes the op's tensor.

    Args:
        kinds: Tensor → the op that makes it.
    """
    whole: dict[str, list[LayerCost]] = {}
    waiting: list[LayerCost] = []
    for part in parts:
        waiting.append(part)
        if part.layer in kinds:
            whole.setdefault(part.layer, []).extend(waiting)
            waiting = []
    if waiting:
        whole.setdefault(waiting[-1].layer, []).extend(waiting)
    for layer, ops in whole.items():
        cycles = sum(op.cycles for op in ops)
        busy = sum(op.cycles * op.utilization for op in ops)
        yield LayerCost(
            layer,
            kinds.get(layer, ops[-1].op),
            cycles,
            max(op.sram_bytes for op in ops),
            sum(op.macs for op in ops),
            busy / cycles if cycles else 0.0,
        )
