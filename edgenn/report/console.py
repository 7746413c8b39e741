"""What a conversion wrote and what a file is, on the console, within 80 columns."""

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape

from edgenn.bundle import Bundle
from edgenn.inspection import Inspection
from edgenn.report.numbers import count_text, size_text
from edgenn.report.tables import plain_table
from edgenn.runtime.tensor_info import TensorInfo, shape_text


def print_bundle(bundle: Bundle, console: Console) -> None:
    """What a conversion wrote."""
    table = plain_table(None)
    table.add_column("file", overflow="fold")
    for column in ("size", "ops", "MACs"):
        table.add_column(column, justify="right")
    table.add_column("input → output")
    for artifact in bundle.manifest.artifacts:
        table.add_row(
            artifact.file,
            size_text(artifact.size_bytes),
            count_text(sum(artifact.op_counts.values())),
            count_text(artifact.macs),
            f"{dtypes_text(artifact.inputs)} → {dtypes_text(artifact.outputs)}",
        )
    console.print(table)
    seconds = sum(bundle.manifest.timings_s.values())
    count = len(bundle.artifacts)
    files = f"{count} file{'s' if count != 1 else ''}"
    console.print(f"{files} in {escape(str(bundle.path))}, {seconds:.1f} s")


def dtypes_text(infos: Iterable[TensorInfo]) -> str:
    return ", ".join(dict.fromkeys(info.dtype for info in infos))


def print_inspection(inspection: Inspection, console: Console) -> None:
    """A model or an artifact: borders, ops, size."""
    head = [inspection.format, size_text(inspection.size_bytes)]
    if inspection.parameters is not None:
        head.append(f"{inspection.parameters:,} parameters")
    if inspection.macs is not None:
        head.append(f"{inspection.macs:,} MACs")
    console.print(f"[bold]{escape(inspection.path)}[/]: {', '.join(head)}", highlight=False)
    table = plain_table(None)
    for column in ("", "name", "shape", "dtype", "scale", "zero point"):
        table.add_column(column, overflow="fold")
    for kind, infos in (("input", inspection.inputs), ("output", inspection.outputs)):
        for info in infos:
            table.add_row(
                kind, escape(info.name), shape_text(info.shape), *quantization_cells(info)
            )
    console.print(table)
    ops = ", ".join(f"{name} × {count}" for name, count in inspection.op_counts.items())
    console.print(f"{sum(inspection.op_counts.values())} ops: {ops}", highlight=False)
    for note in inspection.notes:
        console.print(f"[yellow]{escape(note)}[/]", highlight=False)


def quantization_cells(info: TensorInfo) -> tuple[str, str, str]:
    if info.scale is None:
        return info.dtype, "", ""
    return info.dtype, f"{info.scale:.6g}", str(info.zero_point)
