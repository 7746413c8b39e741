"""Faults put into real artifacts: how many ``edgenn check`` finds, and what it says of them.

Per kind of fault: how many cases failed the check with exit code 1, in how many the right layer
came first, and in how many the gate, the step or the cause was named where there is one. Then
untouched files on other calibration and test samples, and how many raised an alarm. Exits 1 where
fewer than 95 % of a kind are found and named, or where there is an alarm. Files of one step are
counted by themselves.

    python tools/bench/sabotage.py [--places 8] [--healthy 50] [--seed 0] [--only FAULT …] \
        [--json FILE]
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from support.sabotage.matrix import STEPS, WHOLE, alarms, chosen_cases, healthy_check
from support.sabotage.registry import FAULTS
from support.sabotage.subjects import Subject
from support.sabotage.trial import Marks, try_case

BAR = 0.95


def main() -> int:
    options = arguments()
    started = time.perf_counter()
    names = options.only or list(FAULTS)
    whole = [row_of(name, WHOLE, options) for name in names]
    steps = [row_of(name, STEPS, options) for name in names]
    healthy = [alarmed(seed) for seed in range(options.healthy)]
    found = {
        "faults": whole,
        "files of one step": steps,
        "healthy runs": len(healthy),
        "false alarms": [entry for entry in healthy if entry["alarms"]],
        "seconds": round(time.perf_counter() - started, 1),
    }
    if options.json:
        options.json.write_text(json.dumps(found, indent=1, ensure_ascii=False), "utf-8")
    else:
        print(json.dumps(found, indent=1, ensure_ascii=False))
    print_table("files of whole sequences", whole)
    print_table("files of one step", steps)
    print(f"{len(found['false alarms'])} false alarms in {len(healthy)} healthy runs")
    good = all(entry["share"] >= BAR for entry in whole if entry["cases"])
    return int(not good or bool(found["false alarms"]))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--places", type=int, default=8, help="of each fault in each file")
    parser.add_argument("--healthy", type=int, default=50, help="runs of untouched files")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", choices=list(FAULTS))
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def row_of(name: str, subjects: Sequence[Subject], options: argparse.Namespace) -> dict[str, Any]:
    cases = chosen_cases(FAULTS[name], subjects, options.places, options.seed)
    marks = [told(try_case(case)) for case in cases]
    places = [entry.place for entry in marks if entry.place is not None]
    both = sum(entry.detected and entry.layer for entry in marks)
    return {
        "fault": name,
        "cases": len(marks),
        "detected": sum(entry.detected for entry in marks),
        "layer": sum(entry.layer for entry in marks),
        "place": sum(places),
        "places": len(places),
        "share": both / len(marks) if marks else None,
        "missed": [asdict(entry) for entry in marks if not entry.passed],
    }


def told(marks: Marks) -> Marks:
    if not marks.passed:
        print(f"missed: {marks}", file=sys.stderr, flush=True)
    return marks


def alarmed(seed: int) -> dict[str, Any]:
    """An untouched file; all kinds of files have their turn."""
    subjects = [*WHOLE, *STEPS]
    subject = subjects[seed % len(subjects)]
    found = alarms(healthy_check(subject, seed))
    if found:
        print(f"false alarm: {subject.label}, seed {seed}: {found}", file=sys.stderr, flush=True)
    return {"file": subject.label, "seed": seed, "alarms": found}


def print_table(title: str, rows: list[dict[str, Any]]) -> None:
    print(f"\n{title}\n{'fault':24}{'cases':>7}{'exit 1':>8}{'layer':>7}{'gate, step, cause':>19}")
    for row in filter(lambda row: row["cases"], rows):
        place = f"{row['place']}/{row['places']}" if row["places"] else "–"
        print(f"{row['fault']:24}{row['cases']:>7}{row['detected']:>8}{row['layer']:>7}{place:>19}")


if __name__ == "__main__":
    sys.exit(main())
