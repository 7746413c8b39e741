"""What may have been meant by a name that nothing has."""

import difflib
from collections.abc import Sequence

MOST = 3


def nearest(name: str, known: Sequence[str]) -> str:
    """Names that are like this one, else all that there are; for the hint of an error."""
    if like := difflib.get_close_matches(name, known, n=MOST):
        return f"most like it: {', '.join(like)}"
    return f"there are {', '.join(known)}"
