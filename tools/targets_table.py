"""One table on the console: models × targets, each cell with drift, time or cycles, and memory.

    python tools/targets_table.py [digits_cnn digits_gru …]

Numbers are those of int8, or of the scheme that a target is best at; ``tools/bench/targets.py``
has all of them. What has no numbers has a reason below the table.
"""

import contextlib
import io
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

sys.path.insert(0, str(Path(__file__).parent / "bench"))
import targets
from target_models import SHIPPED, SOURCES

from edgenn.report.numbers import count_text, magnitude_text, milliseconds_text, size_text
from edgenn.report.tables import plain_table
from edgenn.targets import find_target, target_names

Row = dict[str, Any]


def one_cell(rows: list[Row], target: str) -> Row:
    """Of a target's schemes the one that counts: int8, else its best."""
    mine = [row for row in rows if row["target"] == target]
    best = find_target(target).artifact.schemes[0]
    order = {"int8": 0, best: 1}
    return min(mine, key=lambda row: order.get(row["scheme"], 2))


def time_text(row: Row) -> str:
    if row.get("cycles") is not None:
        return f"{count_text(row['cycles'])} cyc"
    if row.get("latency_ms") is None:
        return "-"
    return f"{milliseconds_text(row['latency_ms'])} ms"


def main() -> None:
    targets.silence()
    names = sys.argv[1:] or SHIPPED
    profiles = [find_target(name) for name in target_names()]
    cases = {name: SOURCES[name].load() for name in names}
    with contextlib.redirect_stdout(io.StringIO()):  # the engines' own words are no table
        cells = {
            name: targets.measure(case, profiles, targets.TIME_LIMIT_S)
            for name, case in cases.items()
        }
    table = plain_table(None)
    table.add_column("target", no_wrap=True, min_width=15)
    for case in cases.values():
        # two words over three columns, or the table would be too wide
        what, _, kind = case.title.partition(", ")
        for word, head in ((what, "RMSE"), (kind, "time"), ("", "memory")):
            table.add_column(f"{word}\n{head}", justify="right")
    reasons: dict[str, list[str]] = {}
    for profile in profiles:
        row = [profile.name]
        for name, rows in cells.items():
            cell = one_cell(rows, profile.name)
            if cell["reason"]:
                reasons.setdefault(cell["reason"], []).append(f"{name} on {profile.name}")
            note = f" ({list(reasons).index(cell['reason']) + 1})" if cell["reason"] else ""
            rmse = magnitude_text(cell["rmse"]) if "rmse" in cell else "-"
            memory = cell.get("memory_bytes")
            row += [rmse + note, time_text(cell), "-" if memory is None else size_text(memory)]
        table.add_row(*row)
    console = Console(highlight=False)
    console.print(table)
    for number, (reason, where) in enumerate(reasons.items(), 1):
        console.print(f"({number}) {', '.join(where)}: {escape(reason)}")


if __name__ == "__main__":
    main()
