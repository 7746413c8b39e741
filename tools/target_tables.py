"""The tables of docs/targets.md, from profiles and from what ``bench/targets.py`` measures."""

from typing import Any

from markdown_table import table

from edgenn.report.numbers import count_text, magnitude_text, milliseconds_text, size_text
from edgenn.targets.catalog import shipped

Row = dict[str, Any]


def profiles() -> str:
    """What comes with edgenn."""
    rows = []
    for profile in shipped():
        rules = profile.artifact
        halves = f"{profile.runner}" + (f" + {profile.estimator}" if profile.estimator else "")
        rows.append(
            [
                f"`{profile.name}`" + (" (optional)" if profile.optional else ""),
                profile.title,
                halves,
                f"{rules.format}: {', '.join(rules.schemes)}",
                "open" if rules.batch is None else str(rules.batch),
                ", ".join(rules.recurrent) or "any",
            ]
        )
    return table(["target", "what it is", "engine", "takes", "batch", "recurrent layers"], rows)


def model(rows: list[Row]) -> str:
    """One model: a row for each target and scheme."""
    header = ["target", "scheme", "RMSE", "top-1 as Keras", "time", "memory", "on it", "remarks"]
    return table(header, [cells(row) for row in rows])


def cells(row: Row) -> list[str]:
    ran = "rmse" in row
    agreement = row.get("top1_agreement")
    share = row.get("accelerator_share")
    size = row.get("memory_bytes")
    return [
        f"`{row['target']}`",
        row["scheme"],
        magnitude_text(row["rmse"]) if ran else "–",
        f"{100 * agreement:.0f} %" if agreement is not None else "–",
        time_text(row),
        "–" if size is None else size_text(size),
        "–" if share is None else f"{100 * share:.1f} %",
        remarks(row),
    ]


def time_text(row: Row) -> str:
    if row.get("cycles") is not None:
        return f"{count_text(row['cycles'])} cycles"
    if row.get("latency_ms") is None:
        return "–"
    return f"{milliseconds_text(row['latency_ms'])} ms"


def remarks(row: Row) -> str:
    """Why there are no numbers, and how far they are from those they have to be."""
    parts = []
    if row["reason"]:
        parts.append(row["reason"].replace("|", "\\|"))
    elif row.get("peer_difference") is not None:
        difference = row["peer_difference"]
        equal = f"equal to {row['peer']}"
        apart = f"{magnitude_text(difference)} of the range from {row['peer']}"
        parts.append(equal if difference == 0 else apart)
    return "; ".join(parts)


def published(rows: list[Row]) -> str:
    """Files that edgenn did not write: what each target makes of them."""
    header = ["file", "targets", "difference", "cycles", "memory", "on it", "why not"]
    same: dict[tuple[str, ...], list[str]] = {}
    for row in rows:
        same.setdefault(published_cells(row), []).append(f"`{row['target']}`")
    return table(header, [[file, ", ".join(t), *rest] for (file, *rest), t in same.items()])


def published_cells(row: Row) -> tuple[str, ...]:
    share, size, cycles = (row.get(key) for key in ("accelerator_share", "working_bytes", "cycles"))
    difference = row.get("difference")
    ran = row["exit_code"] == 0
    apart = "ran" if difference is None else "equal" if difference == 0 else f"{difference:.1e}"
    # that a file is not for a target, and what to convert instead, is the same each time
    _, _, reason = row["reason"].rpartition(f" is not for {row['target']}: ")
    return (
        row["file"],
        apart if ran else "–",
        "–" if cycles is None else count_text(cycles),
        "–" if size is None else size_text(size),
        "–" if share is None else f"{100 * share:.1f} %",
        reason.partition(" (edgenn convert")[0].replace("|", "\\|"),
    )
