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
        # writable mappings would lose what was written to a copy
        if base is not None and not array.flags.writeable and hasattr(mmap, "MADV_DONTNEED"):
            with suppress(ValueError, OSError):  # closed
                base.madvise(mmap.MADV_DONTNEED)
