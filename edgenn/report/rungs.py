"""The rungs of a check as rows of a table."""

from collections.abc import Iterable, Sequence

from edgenn.drift import Rung


def by_artifact(rungs: Iterable[Rung]) -> list[list[Rung]]:
    """The rungs of each artifact; those that found none are told below the table."""
    groups: dict[str, list[Rung]] = {}
    for rung in rungs:
        if rung.artifact:
            groups.setdefault(rung.artifact, []).append(rung)
    return list(groups.values())


def labels(rungs: Sequence[Rung]) -> list[str]:
    """What an artifact is, a word in each of its rows: ``int8``, ``unrolled``, ``batch1``."""
    first = rungs[0]
    _, _, variant = first.artifact.rpartition(f".{first.scheme}.")
    words = [first.scheme, *variant.split(".")[:-1]]
    rows = words[: len(rungs)] + [""] * (len(rungs) - len(words))
    return [*rows[:-1], "\n".join([rows[-1], *words[len(rungs) :]])]
