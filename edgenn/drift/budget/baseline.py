"""Metrics of an earlier check, to compare with: a JSON file that lies beside the code."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from edgenn.atomic import replace_file
from edgenn.drift.report import CheckReport, Metrics, Rung
from edgenn.errors import UsageError

SCHEMA: Final = "edgenn.baseline/1"

UPDATE: Final = "--update-baseline writes it anew"


@dataclass(frozen=True)
class Baseline:
    """What each rung had when it was stored.

    Attributes:
        model: The bundle's name.
        fingerprint: sha256 of the model that was converted.
        data_sha256: Of the samples.
        edgenn_version: That stored it.
        rungs: Label → output → metric → value; only finite values.
    """

    model: str
    fingerprint: str
    data_sha256: str
    edgenn_version: str
    rungs: Mapping[str, Metrics]

    @classmethod
    def of(cls, report: CheckReport) -> Self:
        """What a check found."""
        return cls(
            report.name,
            fingerprint_of(report.manifest),
            report.data_sha256,
            str(report.manifest.get("edgenn_version", "")),
            {rung.label: finite(rung.metrics) for rung in report.rungs if rung.metrics},
        )

    def metrics_of(self, label: str) -> Metrics:
        """Output → metric → value of a rung; empty where there is no such rung."""
        return self.rungs.get(label, {})

    def require_fits(self, model: str, fingerprint: str, data_sha256: str, where: str) -> None:
        """Raises before anything runs where there is nothing to compare.

        Args:
            where: The baseline's file.

        Raises:
            UsageError: It is of another model or of other data; says what differs.
        """
        pairs = {
            "the model's name": (self.model, model),
            "the model's sha256": (self.fingerprint, fingerprint),
            "the data's sha256": (self.data_sha256, data_sha256),
        }
        different = [
            f"{what} is {short(now)}, there {short(then)}"
            for what, (then, now) in pairs.items()
            if now != then
        ]
        if different:
            raise UsageError(
                f"the baseline {where} is of something else: {'; '.join(different)}",
                f"if that is meant, {UPDATE}",
            )

    def notes(self, rungs: Iterable[Rung]) -> tuple[str, ...]:
        """Which rungs have nothing to be compared with, and which of the baseline did not run."""
        labels = [rung.label for rung in rungs if rung.metrics]
        new = [label for label in labels if label not in self.rungs]
        gone = [label for label in self.rungs if label not in labels]
        found = []
        if new:
            found.append(f"not in the baseline: {', '.join(new)} ({UPDATE})")
        if gone:
            found.append(f"in the baseline, but not checked: {', '.join(gone)}")
        return tuple(found)

    def write(self, path: str | Path) -> None:
        """Writes the file, whole or not at all; the same check gives the same bytes.

        Raises:
            OutputError: It cannot be written.
        """
        data = {
            "schema": SCHEMA,
            "model": {"name": self.model, "sha256": self.fingerprint},
            "data_sha256": self.data_sha256,
            "edgenn_version": self.edgenn_version,
            "rungs": self.rungs,
        }
        with replace_file(path) as draft:
            text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
            draft.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Reads what ``write`` wrote.

        Raises:
            UsageError: It is not there, or is no baseline that this edgenn reads.
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            problem = f"the baseline {path} cannot be read: {error.strerror}"
            raise UsageError(problem, UPDATE) from error
        except ValueError as error:
            raise UsageError(f"the baseline {path} is no JSON: {error}", UPDATE) from error
        schema = data.get("schema") if isinstance(data, dict) else None
        if schema != SCHEMA:
            problem = f"the baseline {path} has the schema {schema!r}, this edgenn reads {SCHEMA!r}"
            raise UsageError(problem, UPDATE)
        try:
            model = data["model"]
            return cls(
                str(model["name"]),
                str(model["sha256"]),
                str(data["data_sha256"]),
                str(data["edgenn_version"]),
                {label: numbers(outputs) for label, outputs in data["rungs"].items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError(f"the baseline {path} is damaged: {error!r}", UPDATE) from error


def fingerprint_of(manifest: Mapping[str, Any]) -> str:
    """sha256 of the model that a bundle was made of; empty where nobody knows it."""
    return str(manifest.get("source", {}).get("sha256", ""))


def finite(metrics: Metrics) -> dict[str, dict[str, float | None]]:
    return {
        output: {name: v for name, v in values.items() if v is not None and math.isfinite(v)}
        for output, values in metrics.items()
    }


def numbers(outputs: Any) -> dict[str, dict[str, float | None]]:
    return {
        output: {name: float(value) for name, value in values.items()}
        for output, values in outputs.items()
    }


def short(text: str) -> str:
    """A hash as its beginning."""
    return f"{text[:12]}…" if len(text) == 64 else repr(text)
