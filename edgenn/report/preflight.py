"""What targets would make of a model, on the console: a block for each."""

from collections import Counter
from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.markup import escape

from edgenn.placement.memory import CONVERSIONS
from edgenn.placement.report import LayerReport, Reason, TargetReport
from edgenn.report.numbers import count_text, size_text
from edgenn.report.tables import plain_table

ACCELERATOR: Mapping[str, str] = {
    "cpu": "CPU",
    "gpu": "GPU",
    "npu": "NPU",
    "microcontroller": "MCU",
    "fpga": "FPGA",
}
"""Kind of target → what stands in the column of places."""

VERDICTS: Mapping[str, str] = {
    "runs": "[green]all of it runs there[/]",
    "partly": "[yellow]a part of it falls back to the CPU[/]",
    "refused": "[red]it does not run there[/]",
}

KINDS_SHOWN = 3
"""Of ops in a row; layers of more kinds say how many ops they are."""


def print_preflight(reports: Iterable[TargetReport], console: Console) -> None:
    """A block for each target: the verdict, the file, the layers, and what is amiss."""
    for index, report in enumerate(reports):
        if index:
            console.print()
        print_target(report, console)


def print_target(report: TargetReport, console: Console) -> None:
    title = f"[bold]{escape(report.target)}[/] ({escape(report.title)})"
    console.print(f"{title}: {VERDICTS[report.verdict]}", highlight=False)
    if report.size_bytes is not None:
        console.print(", ".join(file_words(report)), highlight=False)
        console.print(", ".join(cost_words(report)), highlight=False)
        print_layers(report, console)
    shown = {(reason.op, reason.reason) for layer in report.layers for reason in layer.reasons}
    for reason in report.reasons:
        if not any(reason.startswith(op) and reason.endswith(why) for op, why in shown):
            console.print(f"[red]{escape(reason)}[/]", highlight=False)
    print_reasons(report, console)
    for note in report.notes:
        console.print(f"[yellow]{escape(note)}[/]", highlight=False)


def file_words(report: TargetReport) -> list[str]:
    assert report.size_bytes is not None
    words = [" ".join(filter(None, (report.scheme, f".{report.format}")))]
    words.append(size_text(report.size_bytes))
    if report.form:
        gates = f" with {report.gates} gates" if report.gates else ""
        words.append(f"recurrent layers {report.form}{gates}")
    if report.batch is not None:
        words.append(f"batch {report.batch}")
    return words


def cost_words(report: TargetReport) -> list[str]:
    words = [f"{count_text(report.macs)} MACs"]
    share = report.accelerator_share
    if report.macs and share is not None and report.kind != "cpu":
        words[0] += f" ({share_text(share)} on the {ACCELERATOR[report.kind]})"
    if report.peak_activation_bytes is not None:
        words.append(f"activations take at least {size_text(report.peak_activation_bytes)}")
    return words


def share_text(share: float) -> str:
    # rounding up to 100 % would say that nothing falls back where something does
    return f"{min(100 * share, 99.9):.1f} %" if share < 1 else "100 %"


def print_layers(report: TargetReport, console: Console) -> None:
    table = plain_table(None)
    for column in ("layer", "becomes", "precision", "where"):
        table.add_column(column, overflow="fold")
    table.add_column("MACs", justify="right", no_wrap=True)
    table.add_column("weights", justify="right", no_wrap=True)
    for layer in report.layers:
        table.add_row(
            layer_text(layer),
            escape(becomes_text(layer)),
            ", ".join(layer.precision),
            where_text(layer, ACCELERATOR[report.kind]),
            count_text(layer.macs) if layer.macs else "",
            size_text(layer.weight_bytes) if layer.weight_bytes else "",
        )
    console.print(table)


def layer_text(layer: LayerReport) -> str:
    more = "".join(f"\n[dim]+ {escape(name)}[/]" for name in layer.absorbed)
    return escape(layer.layer) + more


def becomes_text(layer: LayerReport) -> str:
    """The ops, or their number; what a recurrent layer is, in front."""
    form = f"{layer.form}: " if layer.form else ""
    told = {kind: n for kind, n in layer.ops.items() if kind not in CONVERSIONS} or layer.ops
    if len(told) > KINDS_SHOWN:
        return f"{form}{sum(told.values())} ops"
    ops = (kind if n == 1 else f"{n} {kind}" for kind, n in told.items())
    return form + ", ".join(ops)


def where_text(layer: LayerReport, accelerator: str) -> str:
    parts = [
        (layer.accelerator, accelerator, "green"),
        (layer.cpu, "CPU", "yellow"),
        (layer.refused, "refused", "red"),
    ]
    there = [(count, name, color) for count, name, color in parts if count]
    if len(there) == 1:
        _, name, color = there[0]
        return f"[{color}]{name}[/]"
    return ", ".join(f"[{color}]{count} {name}[/]" for count, name, color in there)


def print_reasons(report: TargetReport, console: Console) -> None:
    """Why not, and what is done wrongly; the same of several layers once."""
    for (op, why), count in counted(layer.reasons for layer in report.layers).items():
        console.print(f"[yellow]{count} × {escape(op)}: {escape(why)}[/]", highlight=False)
    for (op, why), count in counted(layer.pitfalls for layer in report.layers).items():
        text = f"{count} × {escape(op)} runs, but {escape(why)}"
        console.print(f"[red]{text}[/]", highlight=False)


def counted(groups: Iterable[Iterable[Reason]]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for group in groups:
        for reason in group:
            found[reason.op, reason.reason] += reason.count
    return found
