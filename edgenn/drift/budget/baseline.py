"""Metrics of an earlier check, to compare with: a JSON file that lies beside the code."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from edgenn.atomic import replace_file
from edgenn.drift.report import CheckReport, Metrics, Rung
from edgenn.errors import UsageError

SCHEMA: Final = "edgenn.baseline/1"

UPDATE: Final = "--update-baseline writes it anew"


@dataclass(frozen=True)
class Stored:
    """What one rung had.

    Attributes:
        samples: How many had run; numbers of others are not compared with these.
        metrics: Output → metric → value; only finite values.
    """

    samples: int
    metrics: Metrics


@dataclass(frozen=True)
class Baseline:
    """What each rung had when it was stored.

    Attributes:
        model: The bundle's name.
        fingerprint: sha256 of the model that was converted.
        data_sha256: Of the samples.
        edgenn_version: That stored it.
        rungs: By label.
    """

    model: str
    fingerprint: str
    data_sha256: str
    edgenn_version: str
    rungs: Mapping[str, Stored]

    @classmethod
    def of(cls, report: CheckReport) -> Self:
        """What a check found."""
        return cls(
            report.name,
            fingerprint_of(report.manifest),
            report.data_sha256,
            str(report.manifest.get("edgenn_version", "")),
            {
                rung.label: Stored(rung.samples, finite(rung.metrics))
                for rung in report.rungs
                if rung.metrics
            },
        )

    def metrics_of(self, rung: Rung) -> Metrics:
        """Output → metric → value; empty where there is no such rung of as many samples.

        Slow rungs run as many as there is time for.
        """
        stored = self.rungs.get(rung.label)
        return stored.metrics if stored is not None and stored.samples == rung.samples else {}

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
        ran = {rung.label: rung.samples for rung in rungs if rung.metrics}
        labels = list(ran)
        new = [label for label in labels if label not in self.rungs]
        gone = [label for label in self.rungs if label not in labels]
        both = [label for label in labels if label in self.rungs]
        other = [label for label in both if self.rungs[label].samples != ran[label]]
        found = []
        if other:
            found.append(f"not compared with the baseline, of other samples: {', '.join(other)}")
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
            "rungs": {label: asdict(stored) for label, stored in self.rungs.items()},
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
                {
                    label: Stored(int(entry["samples"]), numbers(entry["metrics"]))
                    for label, entry in data["rungs"].items()
                },
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
