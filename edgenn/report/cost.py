"""What artifacts cost on devices, and what of them ran where: a table within 80 columns."""

from rich.markup import escape
from rich.table import Table

from edgenn.drift import CheckReport, Rung
from edgenn.report.numbers import count_text, size_text
from edgenn.report.rungs import labelled
from edgenn.report.tables import plain_table
from edgenn.runners import Facts


def has_cost(rung: Rung) -> bool:
    """Whether an engine knows more than a processor does."""
    facts = rung.facts
    known = (facts.cycles, facts.arena_bytes, facts.accelerator_macs, rung.peer_difference)
    return bool(facts.adapter or facts.fallbacks) or any(value is not None for value in known)


def cost_table(report: CheckReport) -> Table:
    """Rows are the rungs whose engines know what the device has to do."""
    table = plain_table(None)
    for column in ("scheme", "target"):
        table.add_column(column)
    for column in ("cycles", "memory", "on it"):
        table.add_column(column, justify="right")
    table.add_column("who says so", overflow="fold")
    for label, rung in labelled(filter(has_cost, report.rungs)):
        share = rung.facts.accelerator_share
        table.add_row(
            escape(label),
            rung.target,
            count_text(rung.facts.cycles),
            memory_text(rung.facts),
            "-" if share is None else f"{100 * share:.1f} %",
            escape(who_says(rung)),
        )
    return table


def memory_text(facts: Facts) -> str:
    """The working memory: of a microcontroller the arena, of an NPU its SRAM."""
    return "-" if facts.working_bytes is None else size_text(facts.working_bytes)


def who_says(rung: Rung) -> str:
    """Whose cost and whose numbers these are, each half by name."""
    facts = rung.facts
    parts = []
    if facts.adapter:
        kind = " (software: time says nothing)" if facts.software else ""
        parts.append(f"ran on {facts.adapter}{kind}")
    if rung.estimator:
        parts.append(f"cost: {rung.estimator}")
        parts.append(f"numbers: {rung.version or 'none'}")
    if rung.peer_difference is not None:
        same = "equal to" if rung.peer_difference == 0 else f"{rung.peer_difference:.1e} from"
        parts.append(f"{same} {rung.peer}")
    if facts.fallbacks:
        ops = ", ".join(dict.fromkeys(entry.op for entry in facts.fallbacks))
        parts.append(f"on the CPU: {ops}")
    return "; ".join(parts)
