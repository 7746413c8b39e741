"""Sums for metrics of ranks: what outputs claim, in the order of how sure they are.

A rank depends on all other samples, so that nothing can be added up sample by sample. Kept are how
often each score was right and wrong, and a random part of the samples for the bootstrap.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np

from edgenn.drift.metrics.bootstrap import resamples
from edgenn.drift.metrics.metric import Claims, Ranked, Value
from edgenn.runtime.tensor_info import Array

MOST_SCORES: Final = 1 << 17
"""Different scores that are kept exactly; beyond, they are rounded to 11 bits."""
KEPT_CLAIMS: Final = 1 << 14
FEWEST_KEPT, MOST_KEPT = 128, 2048
"""Samples for the bootstrap, by the number of claims that each makes."""
REPLICATES: Final = 100
"""Enough for a standard error (Efron & Tibshirani 1993, section 6.4)."""
SIGN: Final = np.uint32(1 << 31)
QUANTILE: Final = 1.959964
"""Of the standard normal distribution, 97.5 %."""


class ScoreCounts:
    """How often each score of each class was right and wrong, in bounded memory."""

    def __init__(self) -> None:
        self._keys = np.zeros(0, np.uint64)
        self._counts = np.zeros(0, np.int64)
        self._waiting: list[Array] = []
        self._coarse = False
        self.broken = False

    def add(self, claims: Claims) -> None:
        self.broken |= bool(np.isnan(claims.score).any())
        self._waiting.append(packed(claims.kind, claims.score, claims.right))
        if sum(map(len, self._waiting)) > MOST_SCORES:
            self._merge()

    def value(self, rule: Ranked) -> Value:
        """The metric, mean over the classes that have one."""
        self._merge()
        kind, score, right = unpacked(self._keys)
        table = np.stack([right, ~right]) * self._counts
        areas = [
            rule.area(score[part][starts], *np.add.reduceat(table[:, part], starts, axis=-1))
            for part, starts in runs(kind, score)
        ]
        return float("nan") if self.broken else mean_value(np.array(areas, np.float64))

    def _merge(self) -> None:
        keys = np.concatenate([np.zeros(0, np.uint64), *self._waiting])
        self._waiting = []
        self._take(*merged(np.sort(coarse(keys) if self._coarse else keys)))
        if len(self._keys) > MOST_SCORES and not self._coarse:
            # all scores are rounded from now on, those that came before as well: the order in
            # which samples come has no say
            self._coarse = True
            keys, counts = coarse(self._keys), self._counts
            self._keys, self._counts = self._keys[:0], self._counts[:0]
            self._take(keys, counts)

    def _take(self, keys: Array, counts: Array) -> None:
        """More keys, and how often each of them occurs."""
        keys = np.concatenate([self._keys, keys])
        counts = np.concatenate([self._counts, counts])
        order = np.argsort(keys, kind="stable")  # quick for two parts that are sorted
        self._keys, self._counts = merged(keys[order], counts[order])


def packed(kind: Array, score: Array, right: Array) -> Array:
    """One integer for class, score as float32 and whether it is right; their order is kept.

    A single key sorts several times faster than three columns. Bits of a float are in the order of
    its values once the sign is flipped, and all bits of negative ones.
    """
    # adding 0 makes -0.0 and 0.0 the same
    bits = (score.astype(np.float32) + np.float32(0)).view(np.uint32)
    ordered = np.where(bits >> 31, ~bits, bits | SIGN).astype(np.uint64)
    return kind.astype(np.uint64) << 33 | ordered << 1 | right.astype(np.uint64)


def unpacked(keys: Array) -> tuple[Array, Array, Array]:
    """Class, score and whether it is right."""
    ordered = (keys >> 1).astype(np.uint32)
    bits = np.where(ordered >> 31, ordered & ~SIGN, ~ordered)
    return (keys >> 33).astype(np.int64), bits.view(np.float32), (keys & 1).astype(bool)


def merged(keys: Array, counts: Array | None = None) -> tuple[Array, Array]:
    """Each of sorted keys once, and how often it occurs."""
    starts = run_starts(keys)
    if counts is None or not len(keys):
        return keys[starts], np.diff(starts, append=len(keys))
    return keys[starts], np.add.reduceat(counts, starts)


def run_starts(values: Array) -> Array:
    """Where runs of equal values begin."""
    return np.flatnonzero(np.r_[True, values[1:] != values[:-1]][: len(values)])


def runs(kind: Array, score: Array) -> Iterator[tuple[slice, Array]]:
    """Of sorted claims: where each class lies, and where in it each of its scores begins."""
    limits = [*run_starts(kind), len(kind)]
    for start, stop in pairwise(limits):
        part = slice(start, stop)
        yield part, run_starts(score[part])


def coarse(keys: Array) -> Array:
    """Scores with 11 significant bits of what they lack to 0 or 1, whichever is nearer."""
    kind, score, right = unpacked(keys)
    low = score.astype(np.float16).astype(np.float32)
    high = 1 - (1 - score).astype(np.float16).astype(np.float32)
    return packed(kind, np.where(score < 0.5, low, high), right)


def mean_value(areas: Array) -> Value:
    found = areas[~np.isnan(areas)]
    return float(found.mean()) if len(found) else None


class KeptSamples:
    """Claims of samples drawn at random: those with the smallest of random numbers.

    Two of them with the same seed keep the same samples.
    """

    def __init__(self, seed: int) -> None:
        self._generator = np.random.default_rng(seed)
        self._most = 0
        self._priorities = np.zeros(0)
        self._samples = np.zeros(0, np.int64)
        self.seen = 0
        self.claims = Claims(*(np.zeros(0) for _ in range(4)))

    def add(self, claims: Claims, count: int) -> None:
        """Claims of the next ``count`` samples."""
        if not self._most:
            each = max(len(claims.score) / count, 1)
            self._most = int(np.clip(KEPT_CLAIMS / each, FEWEST_KEPT, MOST_KEPT))
        priorities = np.concatenate([self._priorities, self._generator.random(count)])
        samples = np.concatenate([self._samples, self.seen + np.arange(count)])
        chosen = np.sort(np.argsort(priorities)[: self._most])
        self._priorities, self._samples = priorities[chosen], samples[chosen]
        self.claims = joined(self.claims, claims, self.seen).of_samples(self._samples)
        self.seen += count

    @property
    def count(self) -> int:
        return len(self._samples)

    def replicates(self, rule: Ranked, seed: int) -> Array:
        """The metric of each resample, ``(REPLICATES,)``; none of fewer than two samples."""
        claims = self.claims
        if self.count < 2 or not len(claims.score):
            return np.zeros(0)
        weights = resamples(self.count, REPLICATES, seed).astype(np.float32)
        keys = packed(claims.kind, claims.score, claims.right)
        order = np.argsort(keys)
        kind, score, right = unpacked(keys[order])
        places = np.searchsorted(self._samples, claims.sample)[order]
        areas = []
        for part, starts in runs(kind, score):
            drawn = weights[:, places[part]]
            rights = np.add.reduceat(drawn * right[part], starts, axis=-1)
            alls = np.add.reduceat(drawn, starts, axis=-1)
            areas.append(rule.area(score[part][starts], rights, alls - rights))
        table = np.stack(areas, -1)
        present = ~np.isnan(table)
        mean: Array = np.where(present, table, 0).sum(-1) / present.sum(-1)
        return mean


def joined(first: Claims, second: Claims, shift: int) -> Claims:
    """Claims of earlier samples and of those behind them."""
    return Claims(
        np.concatenate([first.sample, second.sample + shift]).astype(np.int64),
        np.concatenate([first.kind, second.kind]),
        np.concatenate([first.score, second.score]),
        np.concatenate([first.right, second.right]).astype(bool),
    )


def ranked_interval(
    difference: float, replicates: Array, share: float
) -> tuple[float, float] | None:
    """95 % interval of (actual − reference): the difference ± 1.96 standard errors.

    Args:
        replicates: Of the difference, by paired bootstrap of the kept samples.
        share: Of the samples that were kept. The standard error is as all samples would have it:
            √share of that of the kept ones.
    """
    found = replicates[np.isfinite(replicates)]
    if len(found) < REPLICATES / 2 or not np.isfinite(difference):
        return None
    error = QUANTILE * float(found.std(ddof=1)) * float(np.sqrt(share))
    return difference - error, difference + error
