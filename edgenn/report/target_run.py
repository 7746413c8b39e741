"""What ``edgenn run`` says of a run, line by line."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from edgenn.report.numbers import count_text, size_text
from edgenn.runners import Facts, Fallback
from edgenn.runners.target_run import TargetRun

NAMED = 3
"""How many of the layers are named that share a reason."""


def run_lines(ran: TargetRun, output: Path) -> Iterator[str]:
    """What was written, what ran and for how long; where, and what ran elsewhere."""
    result, facts = ran.result, ran.result.facts
    shapes = ", ".join(f"{name} {array.shape}" for name, array in result.outputs.items())
    yield f"{output}: {shapes}"
    times = f"{result.latency_ms:.3f} ms a sample"
    if result.step_latency_ms is not None:
        times += f", {result.step_latency_ms:.4f} ms a step"
    why = f" (says nothing of the device: {ran.not_the_device})" if ran.not_the_device else ""
    yield f"{result.version}: {times}{why}"
    if facts.adapter:
        yield f"ran on {facts.adapter}{' (software)' if facts.software else ''}"
    if cost := cost_text(facts):
        yield f"{ran.estimator or result.version}: on the device {cost}"
    yield from fallback_lines(facts.fallbacks)


def fallback_lines(fallbacks: Iterable[Fallback]) -> Iterator[str]:
    """What the device leaves to the CPU: ops of one kind and one reason share a line."""
    layers: dict[tuple[str, str], list[str]] = {}
    for fallback in fallbacks:
        layers.setdefault((fallback.op, fallback.reason), []).append(fallback.layer)
    for (op, reason), where in layers.items():
        named = [layer for layer in where if layer]
        more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
        at = f" ({', '.join(named[:NAMED])}{more})" if named else ""
        yield f"on the CPU: {op}{f' × {len(where)}' if len(where) > 1 else ''}{at}: {reason}"


def cost_text(facts: Facts) -> str:
    """What one inference needs, as far as it is known."""
    parts = []
    if facts.cycles is not None:
        parts.append(f"{count_text(facts.cycles)} cycles")
    if facts.sram_bytes is not None:
        parts.append(f"{size_text(facts.sram_bytes)} of SRAM")
    if facts.arena_bytes is not None:
        parts.append(f"an arena of {size_text(facts.arena_bytes)}")
    if (share := facts.accelerator_share) is not None:
        parts.append(f"{100 * share:.1f} % of the MACs on the accelerator")
    return ", ".join(parts)
