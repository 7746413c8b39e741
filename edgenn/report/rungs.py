"""The rungs of a check as rows of a table."""

from collections.abc import Iterable, Iterator, Sequence

from edgenn.drift import Rung


def labelled(rungs: Iterable[Rung]) -> Iterator[tuple[str, Rung]]:
    """Each rung with what its artifact is, said once: ``int8``, in the next row ``unrolled``.

    Targets that no artifact is for are left out: they are told below the table.
    """
    groups: dict[str, list[Rung]] = {}
    for rung in rungs:
        if rung.artifact or rung.metrics is not None:
            groups.setdefault(rung.artifact, []).append(rung)
    before: list[str] = []
    for group in groups.values():
        words = list(group[0].words)
        yield from zip(in_rows([] if words == before else words, len(group)), group, strict=True)
        before = words


def in_rows(words: Sequence[str], count: int) -> list[str]:
    """A word in each of so many rows; those that are left stand in the last one."""
    rows = [*words[:count], *[""] * (count - len(words))]
    return [*rows[:-1], "\n".join([rows[-1], *words[count:]])]
