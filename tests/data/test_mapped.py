"""Memory of mapped files that are read from end to end."""

from pathlib import Path

import numpy as np
import pytest

from edgenn.data import load
from edgenn.data.mapped import let_go

MEGABYTE = 1 << 20
STATUS = Path("/proc/self/status")


def resident_bytes() -> int:
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith("RssFile:"))
    return int(line.split()[1]) * 1024


@pytest.mark.skipif(not STATUS.exists(), reason="the system does not tell")
def test_what_was_read_is_let_go(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((64, MEGABYTE // 4), np.float32))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    before = resident_bytes()
    assert mapped.sum() == mapped.size
    assert resident_bytes() > before + 60 * MEGABYTE
    part = mapped[3:, ::2][1:]  # whatever it is a view of
    let_go(part)
    assert resident_bytes() < before + 8 * MEGABYTE
    assert part.sum() == part.size


@pytest.mark.skipif(not STATUS.exists(), reason="the system does not tell")
def test_a_dataset_is_never_in_memory_as_a_whole(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.ones((64, MEGABYTE // 4), np.float32))
    before = resident_bytes()
    data = load(path, ["x"], split="test")
    assert len(data.sha256) == 64
    largest = 0
    for batch in data.batches(4):
        assert batch["x"].sum() == batch["x"].size
        largest = max(largest, resident_bytes())
    assert largest < before + 16 * MEGABYTE


def test_arrays_that_are_written_to_stay_as_they_are(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros(10_000))
    changed = np.load(tmp_path / "x.npy", mmap_mode="c")  # copy on write: the file does not change
    changed += 1
    view = changed[:]
    view.flags.writeable = False
    let_go(changed, view, np.ones(3))
    assert view.sum() == changed.sum() == 10_000
