"""What an engine prints while it works, read in its own process."""

import os
import stat

STDERR = 2


class Words:
    """What stands on stderr from now on, where that is a file, as it is in a runner's child.

    Native runtimes say there what their exceptions do not. Nothing is taken away: the runner
    reads the same words.
    """

    def __init__(self) -> None:
        self._start = os.fstat(STDERR).st_size

    def text(self) -> str:
        """All of them; empty where stderr is no file."""
        status = os.fstat(STDERR)
        if not stat.S_ISREG(status.st_mode):
            return ""
        said = os.pread(STDERR, status.st_size - self._start, self._start)
        return said.decode("utf-8", "replace")
