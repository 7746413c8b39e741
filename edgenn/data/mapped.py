"""Arrays that are mapped from files, and the memory that they take."""

import mmap
from contextlib import suppress
from typing import Any

from numpy.typing import NDArray


def let_go(*arrays: NDArray[Any]) -> None:
    """Frees the memory of what was read of mapped files; arrays in memory stay as they are.

    The system would free it only when it runs short, and until then a process that walks through
    a large file looks as large as the file. What is wanted again is read again.
    """
    for array in arrays:
        base: Any = array
        while base is not None and not isinstance(base, mmap.mmap):
            base = getattr(base, "base", None)
        if base is None or not hasattr(mmap, "MADV_DONTNEED"):
            continue
        with suppress(ValueError, OSError):  # closed
            # a mapping that may be written to holds what the file does not
            if memoryview(base).readonly:
                base.madvise(mmap.MADV_DONTNEED)
