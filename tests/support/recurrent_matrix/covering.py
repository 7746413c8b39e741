"""Covering arrays: few rows in which every combination of values occurs that can occur.

Rows are built one after the other, each the best of some candidates (AETG: Cohen, Dalal, Fredman
& Patton 1997), with constraints. The same arguments give the same rows.
"""

import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

Row = dict[str, Any]
"""Factor → value."""

Combination = tuple[tuple[str, Any], ...]
"""Values of some factors."""

Group = tuple[str, ...]
"""Factors whose combinations are wanted."""

CANDIDATES = 6
"""Rows that are tried for each row that is taken."""


@dataclass(frozen=True)
class Rule:
    """What cannot be.

    Attributes:
        reason: Why.
        factors: Those it speaks of.
        forbids: Whether their values cannot go together.
        refused: Whether it is Keras that refuses them; they have no meaning otherwise.
    """

    reason: str
    factors: Group
    forbids: Callable[..., bool]
    refused: bool = True

    def broken(self, row: Mapping[str, Any]) -> bool:
        """Whether a row breaks it; a row without all of its factors does not yet."""
        return all(n in row for n in self.factors) and self.forbids(*(row[n] for n in self.factors))


class Space:
    """The rows that factors and rules leave."""

    def __init__(self, factors: Mapping[str, Sequence[Any]], rules: Sequence[Rule]) -> None:
        self.factors = factors
        self.rules = {name: [r for r in rules if name in r.factors] for name in factors}

    def values(self, row: Row, name: str) -> list[Any]:
        """The values of a factor that break no rule beside those that are there."""
        rules, wider = self.rules[name], dict(row)
        values = []
        for value in self.factors[name]:
            wider[name] = value
            if not any(rule.broken(wider) for rule in rules):
                values.append(value)
        return values

    def completed(self, row: Row) -> Row | None:
        """The row with a value for every factor, or nothing if there is none."""
        name = next((name for name in self.factors if name not in row), None)
        if name is None:
            return row
        rows = (self.completed({**row, name: value}) for value in self.values(row, name))
        return next((found for found in rows if found is not None), None)

    def is_possible(self, combination: Combination) -> bool:
        """Whether some row has these values."""
        row: Row = {}
        for name, value in combination:
            if value not in self.values(row, name):
                return False
            row[name] = value
        return self.completed(row) is not None

    def combinations(self, groups: Iterable[Group]) -> Iterator[Combination]:
        """Every combination of values of each group of factors, possible or not."""
        for group in groups:
            for values in product(*(self.factors[name] for name in group)):
                yield tuple(zip(group, values, strict=True))


def pairs(factors: Iterable[str]) -> list[Group]:
    """All groups of two factors."""
    return list(combinations(factors, 2))


def covering_array(space: Space, groups: Collection[Group], seed: int) -> list[Row]:
    """Rows that hold every possible combination of values of each group."""
    wanted = dict.fromkeys(c for c in space.combinations(groups) if space.is_possible(c))
    writer = RowWriter(space, groups, random.Random(seed))
    rows = []
    while wanted:
        row = writer.row(writer.random.choice(list(wanted)), wanted)
        for combination in writer.found(row, wanted):
            del wanted[combination]
        rows.append({name: row[name] for name in space.factors})
    return rows


class RowWriter:
    """Writes rows that hold many combinations not seen before."""

    def __init__(self, space: Space, groups: Collection[Group], source: random.Random) -> None:
        self.space = space
        self.groups = groups
        self.groups_of = {name: [g for g in groups if name in g] for name in space.factors}
        self.random = source

    def row(self, first: Combination, wanted: Collection[Combination]) -> Row:
        """The best of some candidates that have ``first`` in them."""
        candidates = [self.candidate(dict(first), wanted) for _ in range(CANDIDATES)]
        complete = [row for row in candidates if row is not None]
        if not complete:
            row = self.space.completed(dict(first))
            assert row is not None  # what is wanted is possible
            return row
        return max(complete, key=lambda row: len(self.found(row, wanted)))

    def candidate(self, row: Row, wanted: Collection[Combination]) -> Row | None:
        """The row with values for the other factors, chosen greedily; nothing in a dead end."""
        names = [name for name in self.space.factors if name not in row]
        self.random.shuffle(names)
        for name in names:
            values = self.space.values(row, name)
            if not values:
                return None
            if len(values) == 1:
                row[name] = values[0]
                continue
            self.random.shuffle(values)
            known = {*row, name}
            groups = [group for group in self.groups_of[name] if known.issuperset(group)]
            news = []
            for value in values:
                row[name] = value
                news.append(sum(combination(g, row) in wanted for g in groups))
            row[name] = values[news.index(max(news))]
        return row

    def found(self, row: Row, wanted: Collection[Combination]) -> list[Combination]:
        """What is wanted and in the row."""
        return [c for group in self.groups if (c := combination(group, row)) in wanted]


def combination(group: Group, row: Row) -> Combination:
    return tuple((name, row[name]) for name in group)
