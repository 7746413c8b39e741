"""By how much this process has grown at most."""

from contextlib import suppress
from pathlib import Path

try:
    import resource
except ModuleNotFoundError:  # pragma: no cover - not on Windows
    resource = None  # type: ignore[assignment]

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


class PeakMemory:
    """Counts from when it is made; on Linux the peak of before is forgotten."""

    def __init__(self) -> None:
        with suppress(OSError):
            _CLEAR.write_text("5")  # "reset the peak resident set size", proc(5)
        self._start = peak_bytes()

    def growth_bytes(self) -> int | None:
        """``None`` where the system does not tell."""
        now = peak_bytes()
        return None if now is None or self._start is None else now - self._start


def peak_bytes() -> int | None:
    """The largest resident set of this process so far."""
    with suppress(OSError):
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    # macOS counts bytes; Linux, which counts kB, has told above
    return None if resource is None else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
