"""What may have been meant by a name that nothing has."""

import difflib
from collections.abc import Sequence

MOST = 3
MOST_LISTED = 20
"""Where nothing is like the name: more than these are no help."""


def nearest(name: str, known: Sequence[str]) -> str:
    """Names that are like this one, else those that there are; for the hint of an error."""
    if like := difflib.get_close_matches(name, known, n=MOST):
        return f"most like it: {', '.join(like)}"
    more = f" and {len(known) - MOST_LISTED} more" if len(known) > MOST_LISTED else ""
    return f"there are {', '.join(known[:MOST_LISTED])}{more}"
