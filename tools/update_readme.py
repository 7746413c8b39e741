"""Puts the tables that the demo and the benchmarks print into README.md and docs/.

    python tools/update_readme.py [demo] [checks] [real] [conversion] [recurrent] [calibration]
        [precision] [forms] [targets] [published]

Without names all are made. ``real``, ``conversion``, ``calibration``, ``precision``, ``targets``
and ``published`` need the real models (``$EDGENN_REAL_MODELS``), the last two every engine,
``recurrent`` the extra ``bench``.
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

import printed_pages
import recurrent_tables
import target_tables
from markdown_table import table
from page_picture import picture

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
CALIBRATION = ROOT / "docs" / "calibration.md"
RECURRENT = ROOT / "docs" / "recurrent.md"
TARGETS = ROOT / "docs" / "targets.md"
CHECKS = ROOT / "docs" / "checks.md"

FAILING_CHECK = "A check that fails"
"""The section of README.md."""

MODELS = {
    "ic": "image classification (MLPerf Tiny ResNet-8)",
    "kws": "keyword spotting (MLPerf Tiny DS-CNN)",
    "vww": "person detection (MLPerf Tiny MobileNetV1)",
    "rps": "rock, paper, scissors (Silicon Labs MLTK)",
    "wand": "magic wand (Silicon Labs MLTK)",
}


def output_of(*command: str) -> str:
    """What a command prints, 80 columns wide."""
    settings = {"COLUMNS": "80", "TF_CPP_MIN_LOG_LEVEL": "3", "EDGENN_HISTORY": "off"}
    environment = {**os.environ, **settings}
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


def demo() -> None:
    """What ``edgenn check`` and ``edgenn run`` print as ``make demo`` runs them."""
    (recipe,) = re.findall(r"^demo: .*?\n\n", (ROOT / "Makefile").read_text(), re.M | re.DOTALL)
    commands = re.findall(r"\$\(BIN\)/(edgenn .*?)(?=\n\t\$\(BIN\)|\n\n)", recipe, re.DOTALL)
    edgenn = str(Path(sys.executable).parent / "edgenn")
    printed: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for command in commands:
            words = command.replace("\\\n", " ").replace("$(DEMO)", folder).split()
            lines = output_of(edgenn, *words[1:]).replace(folder, "demo").splitlines()
            if words[1] in ("check", "run"):
                bundle = Path(words[2]).relative_to(folder).parts[0]
                printed.setdefault(bundle, []).extend(line.rstrip() for line in lines)
    for bundle, lines in printed.items():
        replace(README, bundle, "```text\n" + "\n".join(filter(None, lines)) + "\n```\n")
    lines = output_of(sys.executable, "tools/targets_table.py").splitlines()
    lines = [line.rstrip() for line in lines]
    replace(README, "every target", "```text\n" + "\n".join(lines) + "\n```\n")


def checks() -> None:
    """What checks print on the pages that explain them, and the picture of a report."""
    with tempfile.TemporaryDirectory() as folder:
        printed_pages.update(README, Path(folder), section=FAILING_CHECK)
        picture(Path(folder, "build/reader.html"), ROOT / "docs" / "report.png")
    with tempfile.TemporaryDirectory() as folder:
        printed_pages.update(CHECKS, Path(folder))


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
    recurrent_s = bench("recurrent_conversion")["int8_s"]
    rows.append(["int8, two LSTM layers instead", f"{recurrent_s:.2f} s", "–", ""])
    peaks = (row["resnet50_peak_mb_edgenn"], row["resnet50_peak_mb_stock"])
    rows.append(["peak memory, ResNet50", *(f"{peak:,.0f} MB" for peak in peaks), ""])
    replace(README, "conversion", table(["", "edgenn", "TFLiteConverter", "faster"], rows))


def recurrent() -> None:
    """Latency and drift of recurrent layers beside the stock files."""
    result = bench("recurrent_latency")
    rows = []
    for label, ours, theirs in (
        ("LSTM, int8, TFLite", "lstm_int8_edgenn", "lstm_int8_fused"),
        ("GRU, int8, TFLite", "gru_int8_edgenn", "gru_float32_while"),
        ("GRU, float32, ONNX", "gru_onnx_edgenn", "gru_onnx_keras_export"),
    ):
        mine, stock = (result["rows"][name] for name in (ours, theirs))
        faster = 1 / result["ratios"][f"{ours} / {theirs}"]
        row = [label, microseconds(mine), microseconds(stock), f"{faster:.1f} ×"]
        row += [kilobytes(mine), kilobytes(stock), *(f"{x['rmse']:.2g}" for x in (mine, stock))]
        rows.append(row)
    header = ["", "edgenn", "stock", "faster", "size", "stock", "RMSE", "stock"]
    replace(README, "recurrent", table(header, rows))


def microseconds(row: dict[str, Any]) -> str:
    return f"{row['microseconds']:,.0f} µs"


def kilobytes(row: dict[str, Any]) -> str:
    return f"{row['bytes'] / 1000:,.0f} kB"


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


def precision() -> None:
    """One layer in float, the last one in 16 bits."""
    result = bench("precision")
    result.pop("failures")
    rows = [
        [
            f"{name}: `{row['options']}`",
            f"{row['rmse']:.4f}",
            f"{row['agreement']:.1f}",
            f"{row['bytes']:,}",
        ]
        for name, options in result.items()
        for row in options
    ]
    head = ["model and options", "RMSE against Keras", "top-1 as Keras, %", "bytes"]
    replace(CALIBRATION, "precision", table(head, rows))


def forms() -> None:
    """Every form of recurrent layers in every scheme."""
    result = bench("recurrent_forms")
    result.pop("failures")
    for name, rows in result.items():
        replace(RECURRENT, f"latency {name}", recurrent_tables.latencies(rows))
        replace(RECURRENT, f"size {name}", recurrent_tables.sizes(rows))
    replace(RECURRENT, "drift", recurrent_tables.drift(result))


def targets() -> None:
    """Every model on every target."""
    replace(TARGETS, "profiles", target_tables.profiles())
    for name, row in bench("targets")["models"].items():
        replace(TARGETS, f"model {name}", target_tables.model(row["cells"]))


def published() -> None:
    """Files of others on every target."""
    replace(TARGETS, "published", target_tables.published(bench("published_files")["files"]))


PARTS: dict[str, Callable[[], None]] = {
    function.__name__: function
    for function in (
        demo,
        checks,
        real,
        conversion,
        recurrent,
        calibration,
        precision,
        forms,
        targets,
        published,
    )
}


def main() -> None:
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()


if __name__ == "__main__":
    main()
