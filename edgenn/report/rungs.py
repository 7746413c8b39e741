"""The rungs of a check as rows of a table."""

from collections.abc import Iterable, Iterator, Sequence

from edgenn.drift import Rung


def labelled(rungs: Iterable[Rung]) -> Iterator[tuple[str, Rung]]:
    """Each rung with what its artifact is, said once: ``int8``, in the next row ``unrolled``.

    Rungs that found no artifact are left out: they are told below the table.
    """
    groups: dict[str, list[Rung]] = {}
    for rung in rungs:
        if rung.artifact:
            groups.setdefault(rung.artifact, []).append(rung)
    before: list[str] = []
    for group in groups.values():
        words = words_of(group[0])
        yield from zip(in_rows([] if words == before else words, len(group)), group, strict=True)
        before = words


def words_of(rung: Rung) -> list[str]:
    """What tells an artifact from others of its model: scheme, form, batch."""
    _, _, variant = rung.artifact.rpartition(f".{rung.scheme}.")
    return [rung.scheme, *variant.split(".")[:-1]]


def in_rows(words: Sequence[str], count: int) -> list[str]:
    """A word in each of so many rows; those that are left stand in the last one."""
    rows = [*words[:count], *[""] * (count - len(words))]
    return [*rows[:-1], "\n".join([rows[-1], *words[count:]])]
