"""The tables of docs/recurrent.md from what ``bench/recurrent_forms.py`` prints."""

from collections.abc import Callable, Sequence
from typing import Any

from markdown_table import table

Row = dict[str, Any]
Column = tuple[str, str]
"""Form and format of a file."""

COLUMNS: dict[str, Column] = {
    "`loop`": ("loop", "tflite"),
    "`fused`": ("fused", "tflite"),
    "`unrolled`": ("unrolled", "tflite"),
    "`step`": ("step", "tflite"),
    "ONNX": ("native", "onnx"),
    "ONNX `step`": ("step", "onnx"),
}
GROUPS = (
    (
        "`loop`, `unrolled`, `step`",
        (("loop", "tflite"), ("unrolled", "tflite"), ("step", "tflite")),
    ),
    ("`fused`", (("fused", "tflite"),)),
    ("ONNX", (("native", "onnx"), ("step", "onnx"))),
)
LABELS = {
    ("float32", ""): "float32",
    ("float16", ""): "float16",
    ("dynamic", ""): "dynamic",
    ("int8", "float32"): "int8, gates float32",
    ("int8", "int16"): "int8, gates int16",
    ("int8", "int8"): "int8, gates int8",
    ("int8", "int8, cell int16"): "int8, gates of `fused`",
    ("int16x8", ""): "int16x8",
}


def key(row: Row) -> tuple[str, str]:
    """Scheme and, where there is a choice, precision of gates."""
    return row["scheme"], row["gates"] if row["scheme"] == "int8" else ""


def found(rows: Sequence[Row], label: tuple[str, str], column: Column) -> Row | None:
    return next(
        (row for row in rows if (row["form"], row["format"]) == column and key(row) == label), None
    )


def by_form(rows: Sequence[Row], text: Callable[[Row], str]) -> str:
    """One line a scheme, one column a form that the model has."""
    rows = [row for row in rows if "error" not in row]
    present = {(row["form"], row["format"]) for row in rows}
    columns = {title: column for title, column in COLUMNS.items() if column in present}
    lines = []
    for label, title in LABELS.items():
        cells = [found(rows, label, column) for column in columns.values()]
        if any(cells):
            lines.append([title, *("" if row is None else text(row) for row in cells)])
    return table(["", *columns], lines)


def latencies(rows: Sequence[Row]) -> str:
    def text(row: Row) -> str:
        whole = f"{row['microseconds']:,.0f}"
        return f"{whole} ({row['step_microseconds']:.1f})" if row["form"] == "step" else whole

    return by_form(rows, text)


def sizes(rows: Sequence[Row]) -> str:
    return by_form(rows, lambda row: f"{row['bytes'] / 1000:.1f}")


def drift(result: dict[str, list[Row]]) -> str:
    """The worst of each group of forms, the models side by side."""
    lines = []
    for label, title in LABELS.items():
        for group, columns in GROUPS:
            cells: list[str] = []
            for rows in result.values():
                usable = [row for row in rows if "error" not in row]
                cells += worst([found(usable, label, column) for column in columns])
            if any(cells):
                lines.append([f"{title}: {group}", *cells])
    header = [f"{name.upper()} {what}" for name in result for what in ("RMSE", "max", "top-1 %")]
    return table(["", *header], lines)


def worst(rows: Sequence[Row | None]) -> list[str]:
    """RMSE, largest difference and top-1 agreement."""
    there = [row for row in rows if row is not None]
    if not there:
        return ["", "", ""]
    return [
        number(max(row["rmse"] for row in there)),
        number(max(row["max_abs"] for row in there)),
        f"{min(row['top1_agreement_percent'] for row in there):.1f}",
    ]


def number(x: float) -> str:
    """Two digits; in powers of ten where it is small."""
    return f"{x:.1e}" if x < 1e-3 else f"{x:#.2g}"
