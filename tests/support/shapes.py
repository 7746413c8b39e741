"""Hypothesis strategies that tests of operators share."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

few = settings(max_examples=10, deadline=None, derandomize=True)
generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)
sizes = st.integers(1, 4)


def shapes(min_rank: int = 1, max_rank: int = 4) -> st.SearchStrategy[tuple[int, ...]]:
    return st.lists(sizes, min_size=min_rank, max_size=max_rank).map(tuple)


@st.composite
def broadcasting_shapes(draw: st.DrawFn, count: int = 2) -> list[tuple[int, ...]]:
    """Shapes that broadcast with each other, of rank 0 to 5."""
    whole = draw(shapes(0, 5))
    result = []
    for _ in range(count):
        rank = draw(st.integers(0, len(whole)))
        suffix = whole[len(whole) - rank :]
        result.append(tuple(1 if draw(st.booleans()) else size for size in suffix))
    return result
