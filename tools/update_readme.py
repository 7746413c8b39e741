"""Puts the tables that the demo and the benchmarks print into README.md and docs/.

    python tools/update_readme.py [demo] [real] [conversion] [calibration]

Without names all are made; the benchmarks need the real models (``$EDGENN_REAL_MODELS``).
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
CALIBRATION = ROOT / "docs" / "calibration.md"

MODELS = {
    "ic": "image classification (MLPerf Tiny ResNet-8)",
    "kws": "keyword spotting (MLPerf Tiny DS-CNN)",
    "vww": "person detection (MLPerf Tiny MobileNetV1)",
    "rps": "rock, paper, scissors (Silicon Labs MLTK)",
    "wand": "magic wand (Silicon Labs MLTK)",
}


def output_of(*command: str) -> str:
    """What a command prints, 80 columns wide."""
    environment = {**os.environ, "COLUMNS": "80", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    return done.stdout


def bench(script: str) -> dict[str, Any]:
    """The JSON of a benchmark; its exit code says whether a bar was missed, which it prints."""
    result: dict[str, Any] = json.loads(output_of(sys.executable, f"tools/bench/{script}.py"))
    for failure in result["failures"]:
        print(f"{script}: {failure}", file=sys.stderr)
    return result


def replace(page: Path, marker: str, text: str) -> None:
    """Puts ``text`` between ``<!-- marker… -->`` and ``<!-- end -->``."""
    pattern = re.compile(rf"(<!-- {marker}[^>]*-->\n).*?(<!-- end -->)", re.DOTALL)
    content, count = pattern.subn(lambda m: f"{m[1]}{text}{m[2]}", page.read_text())
    assert count == 1, f"{page} has {count} places for {marker}"
    page.write_text(content)


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table, numbers to the right."""
    lines = ["| " + " | ".join(header) + " |", "|---" + "|---:" * (len(header) - 1) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def demo() -> None:
    """The table of ``edgenn check`` as ``make demo`` runs it."""
    commands = re.findall(
        r"\$\(BIN\)/(edgenn (?:convert|check).*?)(?=\n\t\$\(BIN\)|\n\n)",
        (ROOT / "Makefile").read_text(),
        re.DOTALL,
    )
    edgenn = str(Path(sys.executable).parent / "edgenn")
    with tempfile.TemporaryDirectory() as folder:
        for command in commands:
            words = command.replace("\\\n", " ").replace("$(DEMO)", folder).split()
            printed = output_of(edgenn, *words[1:])
    lines = [line.rstrip() for line in printed.splitlines() if line.strip()]
    replace(README, "demo", "```text\n" + "\n".join(lines) + "\n```\n")


def real() -> None:
    """int8 drift of the real models beside the stock converter's."""
    rows = [
        [
            MODELS[name],
            f"{row['int8_rmse']:.4f}",
            f"{row['int8_rmse_stock']:.4f}",
            f"{row['int8_top1_agreement_percent']:.1f} %",
            f"{row['int8_top1_agreement_stock_percent']:.1f} %",
            f"{row['int16x8_rmse']:.4f}",
        ]
        for name, row in bench("real_models")["models"].items()
    ]
    header = ["model", "RMSE", "stock", "top-1 as Keras", "stock", "int16x8 RMSE"]
    replace(README, "real models", table(header, rows))


def conversion() -> None:
    """Times and peak memory beside the stock converter's."""
    row = bench("conversion")
    rows = [
        [
            what,
            f"{row[key]:.2f} s",
            f"{row[f'{stem}_stock_s']:.2f} s",
            f"{row[f'{stem}_times_faster']:.1f} ×",
        ]
        for what, key, stem in (
            ("float32", "float32_s", "float32"),
            ("int8, 100 calibration samples", "int8_s", "int8"),
        )
    ]
    peaks = (row["resnet50_peak_mb_edgenn"], row["resnet50_peak_mb_stock"])
    rows.append(["peak memory, ResNet50", *(f"{peak:,.0f} MB" for peak in peaks), ""])
    replace(README, "conversion", table(["", "edgenn", "TFLiteConverter", "faster"], rows))


def calibration() -> None:
    """Every calibration option on every real model."""
    result = bench("calibrators")
    result.pop("failures")
    options = list(next(iter(result.values())))
    rows = [
        [option, *(f"{row[option]['rmse']:.4f}" for row in result.values())] for option in options
    ]
    replace(CALIBRATION, "rmse", table(["int8 RMSE against Keras", *result], rows))
    rows = [
        [option, *(f"{row[option]['agreement']:.1f}" for row in result.values())]
        for option in options
    ]
    replace(CALIBRATION, "agreement", table(["top-1 as Keras, %", *result], rows))


PARTS: dict[str, Callable[[], None]] = {
    function.__name__: function for function in (demo, real, conversion, calibration)
}


def main() -> None:
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()


if __name__ == "__main__":
    main()
