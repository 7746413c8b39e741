"""Reads a budget; says of every mistake in which line it is, and what may stand there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, get_args

from edgenn.drift.budget.schema import DEFAULT, OFF, TASK, Budget, LayerLine, Limit, Line
from edgenn.drift.metrics import METRICS
from edgenn.drift.report import FLOAT_GRAPH
from edgenn.errors import UsageError
from edgenn.nearest import nearest
from edgenn.targets.catalog import shipped_names
from edgenn.targets.profile import SchemeName
from edgenn.toml_files import Key, line_of, read_toml, validated

DEFAULT_FILE: Final = Path(__file__).parent / "default.toml"

TABLES: Final = ("default", "scheme", "target", "layers")
SCHEMES: Final = get_args(SchemeName)
LAYER_NUMBERS: Final = ("excess", "introduced", "total")
"""What of a layer can be limited."""

MOST_SHARE: Final = 10
"""Above it a share was meant as a percentage."""


def read_budget(path: str | Path, targets: Sequence[str] = ()) -> Budget:
    """The limits of a file, over those that come with edgenn.

    Args:
        targets: Names that the file may use besides those of edgenn's targets: a user's own.

    Raises:
        UsageError: The file cannot be read or has a mistake; says in which line.
    """
    path = Path(path)
    known = [*shipped_names(), FLOAT_GRAPH, *targets]
    file = File(path, *read_toml(path, "budget"), known)
    default = default_budget()
    return Budget(
        str(path),
        in_order(file.lines()) + default.lines,
        (*in_layer_order(file.layer_lines()), *default.layer_lines),
    )


@cache
def default_budget() -> Budget:
    """What holds where no file says otherwise."""
    file = File(DEFAULT_FILE, *read_toml(DEFAULT_FILE, "budget"), shipped_names(), shipped=True)
    return Budget(DEFAULT, in_order(file.lines()), in_layer_order(file.layer_lines()))


def in_order(lines: Iterator[Line]) -> tuple[Line, ...]:
    return tuple(sorted(lines, key=lambda line: line.weight, reverse=True))


def in_layer_order(lines: Iterator[LayerLine]) -> tuple[LayerLine, ...]:
    return tuple(sorted(lines, key=lambda line: line.layer is None))


@dataclass(frozen=True)
class File:
    """A file as it was read.

    Attributes:
        text: For the numbers of lines.
        targets: The names that it may use.
        shipped: It comes with edgenn.
    """

    path: Path
    text: str
    data: dict[str, Any]
    targets: Sequence[str]
    shipped: bool = False

    def lines(self) -> Iterator[Line]:
        """Limits of metrics, as the file has them.

        Raises:
            UsageError: A mistake.
        """
        self.require_known(self.data, TABLES, "table", ())
        yield from self.metrics_of(("default",), self.table(("default",)))
        yield from self.schemes_of((), self.data, None)
        targets = self.table(("target",))
        self.require_known(targets, self.targets, "target", ("target",))
        for target in targets:
            where = ("target", target)
            own = self.table(where)
            metrics = {name: entry for name, entry in own.items() if name != "scheme"}
            yield from self.metrics_of(where, metrics, target)
            yield from self.schemes_of(where, own, target)

    def schemes_of(self, where: Key, parent: dict[str, Any], target: str | None) -> Iterator[Line]:
        where = (*where, "scheme")
        schemes = self.table(where) if "scheme" in parent else {}
        self.require_known(schemes, SCHEMES, "scheme", where)
        for scheme in schemes:
            inner = (*where, scheme)
            yield from self.metrics_of(inner, self.table(inner), target, scheme)

    def metrics_of(
        self,
        where: Key,
        metrics: dict[str, Any],
        target: str | None = None,
        scheme: str | None = None,
    ) -> Iterator[Line]:
        self.require_known(metrics, [*METRICS, TASK], "metric", where)
        for metric, entry in metrics.items():
            limit = self.limit((*where, metric), entry)
            yield Line(metric, limit, self.source(where), target, scheme, self.shipped)

    def layer_lines(self) -> Iterator[LayerLine]:
        """Limits of layers: numbers for all, tables for one each.

        Raises:
            UsageError: A mistake.
        """
        for name, entry in self.table(("layers",)).items():
            where: Key = ("layers", name)
            if name in LAYER_NUMBERS:
                yield self.layer_line(where, entry, None)
                continue
            if not isinstance(entry, dict) or entry.keys() <= Limit.model_fields.keys():
                self.require_known([name], LAYER_NUMBERS, "number", ("layers",))
            self.require_known(entry, LAYER_NUMBERS, "number", where)
            for number, own in entry.items():
                yield self.layer_line((*where, number), own, name)

    def layer_line(self, where: Key, entry: Any, layer: str | None) -> LayerLine:
        source = self.source(where[:-1])
        number = str(where[-1])
        if entry == OFF:
            return LayerLine(number, None, source, layer)
        limit = self.bounds(where, entry)
        if limit != Limit(max=limit.max) or limit.max is None:
            raise self.wrong(where, f"{number!r} of a layer takes max alone", "{ max = 3 }")
        return LayerLine(number, limit.max, source, layer)

    def limit(self, where: Key, entry: Any) -> Limit | None:
        """A limit that makes sense for its metric; ``None`` where it is off."""
        if entry == OFF:
            return None
        limit, name = self.bounds(where, entry), str(where[-1])
        metric = METRICS.get(name)
        if not limit.kinds:
            raise self.wrong(
                where, f"{name!r} has no limit", "give min, max, of_keras, of_baseline"
            )
        if metric is None and not (limit.min is limit.max is None):
            raise self.wrong(where, f"{TASK!r} stands for several metrics", "give of_keras")
        if metric is None:
            self.require_share(where, limit, higher=True)
            return limit
        higher = metric.better == "higher"
        wrong, right = ("max", "min") if higher else ("min", "max")
        if getattr(limit, wrong) is not None:
            raise self.wrong(where, f"{name!r} is better when {metric.better}", f"give {right}")
        if limit.of_keras is not None and not (metric.of_labels or is_agreement(name)):
            problem = f"{name!r} is a distance from Keras, which Keras itself has none of"
            raise self.wrong(where, problem, f"give {right}")
        if metric.unit == "%" and (limit.min or 0) > 1:
            raise self.wrong(where, f"{name!r} is a share", "write 95 % as 0.95")
        self.require_share(where, limit, higher)
        return limit

    def require_share(self, where: Key, limit: Limit, higher: bool) -> None:
        for key in ("of_keras", "of_baseline"):
            share = getattr(limit, key)
            if share is not None and share > (1 if higher else MOST_SHARE):
                most = "at most 1" if higher else f"at most {MOST_SHARE}"
                problem = f"{key} of {where[-1]!r} is {share:g}, but a share of {most}"
                raise self.wrong(where, problem, "write 99 % as 0.99")

    def bounds(self, where: Key, entry: Any) -> Limit:
        if not isinstance(entry, dict):
            problem = f"{'.'.join(map(str, where))!r} is {entry!r}"
            raise self.wrong(where, problem, f'write {{ max = 3 }} and the like, or "{OFF}"')
        return validated(Limit, entry, self.text, self.path, where)

    def table(self, where: Key) -> dict[str, Any]:
        found: Any = self.data
        for key in where:
            found = found.get(key, {})
            if not isinstance(found, dict):
                raise self.wrong(where, f"{'.'.join(map(str, where))!r} is no table")
        return found  # type: ignore[no-any-return]  # of a TOML file

    def require_known(self, names: Any, known: Sequence[str], what: str, where: Key) -> None:
        for name in names:
            if name not in known:
                raise self.wrong((*where, name), f"unknown {what} {name!r}", nearest(name, known))

    def source(self, where: Key) -> str:
        return DEFAULT if self.shipped else f"{self.path.name} [{'.'.join(map(str, where))}]"

    def wrong(self, where: Key, problem: str, hint: str = "") -> UsageError:
        return UsageError(f"{self.path}, line {line_of(self.text, where)}: {problem}", hint)


def is_agreement(metric: str) -> bool:
    """Whether it is the share of samples on which a rung says what Keras says; Keras has 100 %."""
    return metric.endswith("_agreement")
