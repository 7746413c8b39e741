"""Every check in one SQLite file, so that a metric can be seen over time.

The file is a convenience: where it cannot be written, a check warns and goes on. Checks of several
processes may be appended at once; each is one transaction.
"""

import os
import sqlite3
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from edgenn.drift.budget import fingerprint_of
from edgenn.drift.metrics import METRICS
from edgenn.drift.report import CheckReport
from edgenn.errors import EdgennWarning, UsageError
from edgenn.home import data_folder
from edgenn.nearest import nearest

VARIABLE: Final = "EDGENN_HISTORY"
"""Names the file, or turns the history off."""
OFF: Final = ("", "0", "off", "none", "no")

SCHEMA_VERSION: Final = 1
WAIT_S: Final = 10.0
"""How long a process waits for another one that writes."""

TABLES: Final = """
CREATE TABLE IF NOT EXISTS checks (
    id INTEGER PRIMARY KEY,
    time TEXT NOT NULL,              -- UTC, ISO 8601
    edgenn_version TEXT NOT NULL,
    model TEXT NOT NULL,             -- the bundle's name
    fingerprint TEXT NOT NULL,       -- sha256 of the model that was converted
    bundle TEXT NOT NULL,            -- path
    data TEXT NOT NULL,              -- where the samples come from
    data_sha256 TEXT NOT NULL,
    samples INTEGER NOT NULL,
    budget TEXT NOT NULL,
    exit_code INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS measures (
    check_id INTEGER NOT NULL REFERENCES checks(id) ON DELETE CASCADE,
    label TEXT NOT NULL,             -- of the rung: 'int8 cpu-xnnpack'; 'Keras' for the reference
    scheme TEXT NOT NULL,
    target TEXT NOT NULL,
    output TEXT NOT NULL,
    metric TEXT NOT NULL,
    value REAL                       -- NULL where it is infinite or no number
);
CREATE INDEX IF NOT EXISTS measures_of_check ON measures (check_id);
CREATE INDEX IF NOT EXISTS checks_of_model ON checks (model, time);
"""

KERAS: Final = "Keras"


@dataclass(frozen=True)
class Point:
    """One check in a series.

    Attributes:
        time: UTC, ISO 8601.
        fingerprint: sha256 of the model that was converted.
        data_sha256: Of the samples.
        value: Of the metric; ``None`` where it was infinite or no number.
    """

    time: str
    edgenn_version: str
    fingerprint: str
    data_sha256: str
    exit_code: int
    value: float | None


@dataclass(frozen=True)
class Series:
    """A metric of one rung of one model over time, the oldest first.

    Attributes:
        label: Of the rung, such as ``int8 cpu-xnnpack``.
    """

    model: str
    label: str
    output: str
    metric: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class History:
    """What the file says.

    Attributes:
        file: Its path.
        checks: How many it holds of these models.
    """

    file: str
    checks: int
    series: tuple[Series, ...]
    schema: str = "edgenn.history/1"


def history_file() -> Path | None:
    """Where checks are kept: ``$EDGENN_HISTORY``, or ``history.sqlite`` in the data folder.

    ``None`` where the variable turns it off.
    """
    named = os.environ.get(VARIABLE)
    if named is None:
        return data_folder() / "history.sqlite"
    return None if named.strip().lower() in OFF else Path(named)


def record(report: CheckReport, bundle: str | Path) -> None:
    """Appends a check; a file that cannot be written is a warning."""
    path = history_file()
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with opened(path) as database, database:
            database.execute("BEGIN IMMEDIATE")
            append(database, report, Path(bundle))
    except (sqlite3.Error, OSError) as error:
        warnings.warn(
            f"this check is not in the history: {path}: {error}"
            f" (remove the file, or set {VARIABLE}=off)",
            EdgennWarning,
            stacklevel=2,
        )


def append(database: sqlite3.Connection, report: CheckReport, bundle: Path) -> None:
    cursor = database.execute(
        "INSERT INTO checks VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            datetime.now(UTC).isoformat(timespec="milliseconds"),
            str(report.manifest.get("edgenn_version", "")),
            report.name,
            fingerprint_of(report.manifest),
            str(bundle.absolute()),
            report.data,
            report.data_sha256,
            report.samples,
            report.budget,
            report.exit_code,
        ),
    )
    rows = [(cursor.lastrowid, *row) for row in rows_of(report)]
    database.executemany("INSERT INTO measures VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def rows_of(report: CheckReport) -> Iterator[tuple[str, str, str, str, str, float | None]]:
    """``(label, scheme, target, output, metric, value)`` of every number in a report."""
    rungs = [(rung.label, rung.scheme, rung.target, rung.metrics or {}) for rung in report.rungs]
    for label, scheme, target, metrics in ((KERAS, "", "", report.reference_metrics), *rungs):
        for output, values in metrics.items():
            for metric, value in values.items():
                if value is not None:
                    # SQLite has no NaN and keeps infinity in a way that JSON cannot
                    finite = value if abs(value) < float("inf") else None
                    yield label, scheme, target, output, metric, finite


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The database, with its tables.

    Raises:
        sqlite3.Error: It is none, is locked for too long, or of a later edgenn.
    """
    with closing(sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)) as database:
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise sqlite3.DatabaseError(f"a later edgenn wrote it (schema {version})")
        if version < SCHEMA_VERSION:
            version = f"PRAGMA user_version = {SCHEMA_VERSION};"
            database.executescript(f"BEGIN IMMEDIATE; {TABLES} {version} COMMIT;")
        database.execute("PRAGMA foreign_keys = ON")
        yield database


def read_history(
    model: str | None = None,
    *,
    metric: str | None = None,
    target: str | None = None,
    limit: int = 20,
) -> History:
    """A metric of every rung over time, Keras first.

    Args:
        model: Name of a bundle; all by default.
        metric: By default what compares with labels, else the RMSE.
        target: Only rungs of this one, and Keras.
        limit: The last so many checks of each model.

    Raises:
        UsageError: The history is off or cannot be read, or it knows no such model, metric, target.
    """
    path = history_file()
    if path is None:
        raise UsageError(f"the history is off: {VARIABLE} says so", f"unset {VARIABLE}")
    if not path.exists():
        require_known("check of", model, [])
        return History(str(path), 0, ())
    try:
        with opened(path) as database:
            return query(database, str(path), model, metric, target, limit)
    except (sqlite3.Error, OSError) as error:
        problem = f"the history {path} cannot be read: {error}"
        raise UsageError(problem, "move the file away: the next check makes a new one") from error


def query(
    database: sqlite3.Connection,
    file: str,
    model: str | None,
    metric: str | None,
    target: str | None,
    limit: int,
) -> History:
    models = column(database, "SELECT DISTINCT model FROM checks ORDER BY model")
    metrics = column(database, "SELECT DISTINCT metric FROM measures ORDER BY metric")
    targets = column(database, "SELECT DISTINCT target FROM measures WHERE target != ''")
    require_known("check of", model, models)
    require_known("check with the metric", metric, [*METRICS, *metrics])
    require_known("check on", target, targets)
    series: list[Series] = []
    checks = 0
    for name in models if model is None else [model]:
        rows = latest(database, name, limit)
        checks += len(rows)
        series += series_of(database, name, rows, metric, target)
    return History(file, checks, tuple(series))


def column(database: sqlite3.Connection, sql: str) -> list[str]:
    return [row[0] for row in database.execute(sql)]


def require_known(what: str, name: str | None, known: Sequence[str]) -> None:
    if name is not None and name not in known:
        hint = nearest(name, known) if known else "there are no checks yet"
        raise UsageError(f"the history has no {what} {name!r}", hint)


Row = tuple[int, str, str, str, str, int]
"""Id, time, edgenn, fingerprint, data, exit code of a check."""


def latest(database: sqlite3.Connection, model: str, limit: int) -> list[Row]:
    """The last checks of a model, the oldest first."""
    found = database.execute(
        "SELECT id, time, edgenn_version, fingerprint, data_sha256, exit_code FROM checks"
        " WHERE model = ? ORDER BY time DESC, id DESC LIMIT ?",
        (model, limit),
    )
    return list(reversed(found.fetchall()))


def series_of(
    database: sqlite3.Connection,
    model: str,
    checks: Sequence[Row],
    metric: str | None,
    target: str | None,
) -> Iterator[Series]:
    """One for each rung and output that had the metric."""
    points: dict[tuple[str, str, str], list[Point]] = {}
    for number, time, version, fingerprint, data, code in checks:
        measures = database.execute(
            "SELECT label, output, metric, value FROM measures WHERE check_id = ?"
            " AND (? IS NULL OR target IN ('', ?)) ORDER BY rowid",
            (number, target, target),
        )
        for label, output, name, value in measures:
            point = Point(time, version, fingerprint, data, code, value)
            points.setdefault((label, output, name), []).append(point)
    chosen = metric or default_metric({name for _, _, name in points})
    rungs = [key for key in points if key[2] == chosen]
    for label, output, name in sorted(rungs, key=lambda key: key[0] != KERAS):
        yield Series(model, label, output, name, tuple(points[label, output, name]))


def default_metric(known: set[str]) -> str:
    """What a user wants to see first: the task's metric, else the distance from Keras."""
    tasks = (name for name, metric in METRICS.items() if metric.of_labels)
    return next((name for name in tasks if name in known), "rmse")
