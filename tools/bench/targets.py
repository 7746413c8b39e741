"""Every model on every target: drift, latency or cycles, and memory, or why not.

    python tools/bench/targets.py [--models digits_cnn kws …] [--targets NAME …] [--time-limit S]

Each model is converted for the targets that can have it, in float32 and int8 (or the one scheme
that a target has), and run on each; an engine that crashes or refuses is a cell with its reason.
Exits 1 where numbers are not what the target's profile promises.
"""

import argparse
import json
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import common
from target_models import SOURCES, Case

from edgenn import api
from edgenn.drift import Rung
from edgenn.errors import EdgennError, EdgennWarning
from edgenn.targets import Profile, find_target, target_names

WANTED = ("float32", "int8")
TIME_LIMIT_S = 300.0
Row = dict[str, Any]


def wanted(profile: Profile) -> tuple[str, ...]:
    """The schemes that a target is measured in."""
    known = profile.artifact.schemes
    return tuple(scheme for scheme in WANTED if scheme in known) or known[:1]


def measure(case: Case, profiles: Sequence[Profile], time_limit_s: float) -> list[Row]:
    """The cells of one model, target by target."""
    groups: dict[tuple[str, ...], list[Profile]] = {}
    for profile in profiles:
        groups.setdefault(wanted(profile), []).append(profile)
    rows = [
        row
        for schemes, members in groups.items()
        for row in together(case, members, schemes, time_limit_s)
    ]
    order = [profile.name for profile in profiles]
    return sorted(rows, key=lambda row: order.index(row["target"]))


def together(
    case: Case, profiles: Sequence[Profile], schemes: Sequence[str], time_limit_s: float
) -> Iterable[Row]:
    """One conversion for all targets; one each where one of them cannot have the model."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            bundle = api.convert(
                case.model,
                Path(folder) / "bundle",
                targets=profiles,
                quantize=schemes,
                calibration=case.calibration,
                name=case.name,
            )
        except EdgennError as error:
            if len(profiles) == 1 and len(schemes) == 1:
                return [refusal(profiles[0], schemes[0], error)]
            parts = [([p], schemes) for p in profiles]
            if len(profiles) == 1:
                parts = [(list(profiles), [scheme]) for scheme in schemes]
            return [row for p, s in parts for row in together(case, p, s, time_limit_s)]
        report = api.check(
            bundle.path,
            case.samples,
            model=case.model,
            targets=profiles,
            history=False,
            time_limit_s=time_limit_s,
        )
    return [cell(rung) for rung in report.rungs if rung.artifact]


def refusal(profile: Profile, scheme: str, error: EdgennError) -> Row:
    return {
        "target": profile.name,
        "scheme": scheme,
        "exit_code": error.exit_code,
        "reason": error.message,
    }


def cell(rung: Rung) -> Row:
    """What a table says of one artifact on one target."""
    facts = rung.facts
    sizes = (facts.arena_bytes, facts.sram_bytes, facts.peak_memory_bytes)
    is_time = rung.time == "measured" and not facts.software
    row: Row = {
        "target": rung.target,
        "scheme": rung.scheme,
        "file": rung.artifact,
        "exit_code": rung.exit_code,
        "engine": rung.version,
        "latency_ms": rung.latency_ms if is_time else None,
        "cycles": facts.cycles,
        "memory_bytes": next((size for size in sizes if size is not None), None),
        "accelerator_share": facts.accelerator_share,
        "adapter": facts.adapter,
        "software": facts.software,
        "peer": rung.peer,
        "peer_difference": rung.peer_difference,
        "reason": "; ".join((*rung.findings, *rung.notes)),
    }
    if rung.metrics is not None:
        values = list(rung.metrics.values())
        row["rmse"] = max(entry["rmse"] for entry in values)
        row["max_abs"] = max(entry["max_abs"] for entry in values)
        row["top1_agreement"] = values[0]["top1_agreement"]
    return row


def broken_promises(model: str, rows: Iterable[Row]) -> list[str]:
    """Numbers that differ from a peer's by more than a profile allows."""
    return [
        f"{model} on {row['target']}: {row['reason']}"
        for row in rows
        if row["exit_code"] == 0 and row["reason"] and row.get("peer_difference") is not None
    ]


def silence() -> None:
    """Large unrolled files and one Keras model after the other are what is measured here."""
    warnings.simplefilter("ignore", EdgennWarning)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="*", choices=SOURCES, default=list(SOURCES))
    parser.add_argument("--targets", nargs="*", default=target_names())
    parser.add_argument("--time-limit", type=float, default=TIME_LIMIT_S)
    arguments = parser.parse_args()
    silence()
    profiles = [find_target(name) for name in arguments.targets]
    result: dict[str, Any] = {}
    failures: list[str] = []
    for name in arguments.models:
        source = SOURCES[name]
        if source.needs is not None and not source.needs.exists():
            print(f"skipped {name}: {source.needs} is absent", file=sys.stderr)
            continue
        print(name, file=sys.stderr)
        case = source.load()
        rows = measure(case, profiles, arguments.time_limit)
        result[name] = {"title": case.title, "cells": rows}
        failures += broken_promises(name, rows)
    common.finish(json.loads(json.dumps({"models": result})), failures)


if __name__ == "__main__":
    main()
