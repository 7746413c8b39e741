"""Vela, Arm's compiler for Ethos-U: which ops the NPU runs, and what they cost there.

It computes no outputs. Its figures are Arm's own model of the device, not measurements. What it
says is read in ``vela_words.py``; here is what runs where Vela is installed.
"""

import csv
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from edgenn.errors import ArtifactError, EngineError, UnsupportedError, UsageError
from edgenn.runners.environments import Requirement
from edgenn.runners.facts import LayerCost
from edgenn.runners.runner import Runner, RunResult, Said
from edgenn.runtime.litert import one_line
from edgenn.runtime.tflite_file import read_tflite

SYSTEMS = {
    "ethos-u55": ("Ethos_U55_High_End_Embedded", "Shared_Sram"),
    "ethos-u65": ("Ethos_U65_High_End", "Dedicated_Sram"),
    "ethos-u85": ("Ethos_U85_SYS_DRAM_Mid", "Dedicated_Sram_384KB"),
}
"""Family → system and memory mode of Vela's ``Arm/vela.ini``, where options name none."""

REFUSED = re.compile(r"Does not have valid TFLite Semantics|could not run on NPU")
BYTES_OF_KIB = 1024
NPU = "NPU"
COMPILED = "ethos-u"
"""The op that Vela puts in the place of all that the NPU runs."""


class VelaEngine:
    """One file, compiled in a temporary folder.

    Args:
        path: The file.
        options: ``accelerator``, such as ``ethos-u55-128``; ``system`` and ``memory_mode`` as
            Vela's configuration names them.

    Raises:
        ArtifactError: The file is damaged, no .tflite, or compiled already.
        EngineError: Vela fails.
        UnsupportedError: An op makes it refuse the file.
        UsageError: No accelerator, or one that Vela does not know.
    """

    name = "vela"

    def __init__(self, path: Path, options: Mapping[str, Any]) -> None:
        content = read_tflite(path)  # Vela trusts every offset of a file
        if any(op.custom == COMPILED for op in content.operators):
            raise ArtifactError(
                f"{path} is compiled for an Ethos-U already", "give the file that Vela was given"
            )
        system, chosen = arguments(options)
        with tempfile.TemporaryDirectory() as folder:
            self._compile(path, chosen, folder)
            (summary,) = rows(Path(folder, f"{path.stem}_summary_{system}.csv"))
            layers = rows(Path(folder, f"{path.stem}_per-layer.csv"))
        self.facts: Mapping[str, Any] = {
            **totals(summary),
            "layers": [asdict(cost(row)) for row in layers if row["Target"] == NPU],
        }

    def _compile(self, path: Path, chosen: list[str], folder: str) -> None:
        from ethosu.vela import vela

        before = sys.getrecursionlimit()
        command = [str(path), *chosen, "--output-dir", folder, "--verbose-performance"]
        try:
            code = vela.main(command)
        except SystemExit as error:
            raise UsageError(
                f"Vela does not take its options: {' '.join(chosen)}",
                "vela --help and vela --list-configs Arm/vela.ini say what there is",
            ) from error
        except Exception as error:  # whatever it raises is its refusal
            kind = UnsupportedError if REFUSED.search(str(error)) else EngineError
            raise kind(f"{path}: Vela refuses it: {one_line(error)}") from error
        finally:
            sys.setrecursionlimit(before)
            sys.stdout.flush()
        if code:
            raise EngineError(f"{path}: Vela failed with exit code {code}")

    @property
    def version(self) -> str:
        return f"ethos-u-vela {version('ethos-u-vela')}"


def arguments(options: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The system, and the part of Vela's command line that says for which device it compiles."""
    accelerator = str(options.get("accelerator", ""))
    family = accelerator.rpartition("-")[0]
    if family not in SYSTEMS:
        known = ", ".join(f"{name}-…" for name in SYSTEMS)
        raise UsageError(f"no Ethos-U accelerator {accelerator!r}", f"there are {known}")
    system, memory = SYSTEMS[family]
    system, memory = options.get("system", system), options.get("memory_mode", memory)
    return system, [
        f"--accelerator-config={accelerator}",
        "--config=Arm/vela.ini",
        f"--system-config={system}",
        f"--memory-mode={memory}",
    ]


def rows(table: Path) -> list[dict[str, str]]:
    """Of a table that Vela wrote; none where it had nothing to write."""
    if not table.is_file():
        return []
    with table.open(encoding="utf-8") as file:
        header, *lines = csv.reader(file, quoting=csv.QUOTE_NONE)
    # the name comes last, and Vela does not quote its commas
    last = len(header) - 1
    return [dict(zip(header, [*line[:last], ",".join(line[last:])], strict=True)) for line in lines]


def totals(summary: Mapping[str, str]) -> dict[str, int]:
    """Of the whole file. Weights are where the device keeps them: in flash or in DRAM."""
    kept = ("on_chip_flash", "off_chip_flash", "dram")
    return {
        "cycles": int(float(summary["cycles_total"])),
        "sram_bytes": round(float(summary["sram_memory_used"]) * BYTES_OF_KIB),
        "flash_bytes": round(sum(float(summary[f"{m}_memory_used"]) for m in kept) * BYTES_OF_KIB),
        "accelerator_macs": int(float(summary["nn_macs"])),
    }


def cost(row: Mapping[str, str]) -> LayerCost:
    """One of the ops that Vela makes of the file's."""
    return LayerCost(
        row["Name"],
        row["NNG Operator"],
        int(row["Op Cycles"]),
        int(row["Staging Usage"]),
        int(row["MAC Count"]),
        float(row["Util% (MAC)"]) / 100,
    )


class VelaRunner(Runner):
    name = "vela"
    suffix = ".tflite"
    engine = "edgenn.runners.vela:VelaEngine"
    option_names = ("accelerator", "system", "memory_mode")
    requirement = Requirement(("ethosu.vela",), ("ethos-u-vela>=5.2",))
    gives_numbers = False

    def read_stderr(self, text: str) -> Said:
        from edgenn.runners.vela_words import fallbacks

        return Said(facts={"fallbacks": [asdict(op) for op in fallbacks(text)]})

    def estimate(self, artifact: Path) -> RunResult:
        """As of every runner; the ops are the file's, not those that Vela makes of them."""
        from edgenn.placement import program_of
        from edgenn.runners.vela_words import in_terms_of

        result = super().estimate(artifact)
        program = program_of(artifact.read_bytes(), "tflite", str(artifact))
        return replace(result, facts=in_terms_of(program, result.facts))
