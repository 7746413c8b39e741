import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

from edgenn import atomic
from edgenn.errors import OutputError

OLD = {"a.tflite": b"old a" * 1000, "b.onnx": b"old b", "manifest.json": b"old"}
NEW = {"a.tflite": b"new a" * 1000, "c.tflite": b"new c" * 5000, "manifest.json": b"new"}


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_writes_a_new_folder_and_its_parents(tmp_path):
    target = tmp_path / "deep" / "bundle"
    atomic.replace_directory(target, NEW)
    assert content(target) == NEW
    assert [entry.name for entry in target.parent.iterdir()] == ["bundle"]


def test_replaces_a_folder_as_a_whole(tmp_path):
    target = tmp_path / "bundle"
    atomic.replace_directory(target, OLD)
    atomic.replace_directory(target, NEW)
    assert content(target) == NEW
    assert list(tmp_path.iterdir()) == [target]


def test_follows_a_link_to_the_folder(tmp_path):
    atomic.replace_directory(tmp_path / "real", OLD)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    atomic.replace_directory(tmp_path / "link", NEW)
    assert (tmp_path / "link").is_symlink()
    assert content(tmp_path / "real") == NEW


def test_replaces_without_an_exchange_call(tmp_path, monkeypatch):
    def missing(a, b):
        raise OSError(errno.ENOSYS, "no such call")

    monkeypatch.setattr(atomic, "exchange", missing)
    target = tmp_path / "bundle"
    atomic.replace_directory(target, OLD)
    atomic.replace_directory(target, NEW)
    assert content(target) == NEW
    assert list(tmp_path.iterdir()) == [target]


def test_recovers_the_old_folder_after_a_kill_between_two_renames(tmp_path):
    target = tmp_path / "bundle"
    atomic.replace_directory(target, OLD)
    target.rename(tmp_path / ".bundle.edgenn-previous")
    atomic.recover(target)
    assert content(target) == OLD


def test_failure_leaves_the_old_folder_and_nothing_beside_it(tmp_path):
    target = tmp_path / "bundle"
    atomic.replace_directory(target, OLD)
    with pytest.raises(OutputError, match="cannot be written"):
        atomic.replace_directory(target, {**NEW, "no/such/folder": b""})
    assert content(target) == OLD
    assert list(tmp_path.iterdir()) == [target]


def test_failure_removes_the_parents_it_made(tmp_path):
    with pytest.raises(OutputError):
        atomic.replace_directory(tmp_path / "a" / "b", {"no/such/folder": b""})
    assert list(tmp_path.iterdir()) == []


def test_parent_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Not a directory"):
        atomic.replace_directory(tmp_path / "file" / "bundle", NEW)


LIMITED = """
import resource, signal, sys
from edgenn.atomic import replace_directory
from edgenn.errors import OutputError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    replace_directory(sys.argv[1], {"small": b"x", "large": b"x" * 100_000})
except OutputError as error:
    print(error)
    sys.exit(error.exit_code)
"""


def test_a_write_that_the_system_cuts_short_leaves_nothing(tmp_path):
    target = tmp_path / "bundle"
    atomic.replace_directory(target, OLD)
    result = subprocess.run(
        [sys.executable, "-c", LIMITED, target], capture_output=True, text=True, check=False
    )
    assert result.returncode == 2, result.stderr
    assert "File too large" in result.stdout
    assert content(target) == OLD
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare, to mount a small disk")
def test_full_disk(tmp_path):
    """A real file system of 64 kB, where the test may mount one."""
    script = f"""
mount -t tmpfs -o size=64k none {tmp_path} || exit 77
{sys.executable} - <<'END'
import os, pathlib
from edgenn.atomic import replace_directory
from edgenn.errors import OutputError
target = pathlib.Path({str(tmp_path)!r}) / "bundle"
replace_directory(target, {{"a": b"old"}})
try:
    replace_directory(target, {{"a": b"x" * 100_000}})
except OutputError as error:
    assert "No space left" in str(error) and "make room" in str(error), error
else:
    raise SystemExit("no error")
assert (target / "a").read_bytes() == b"old"
assert os.listdir(target.parent) == ["bundle"]
END
"""
    result = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode == 77 or "unshare" in result.stderr:
        pytest.skip(f"cannot mount a file system here: {result.stderr.strip()}")
    assert result.returncode == 0, result.stderr


WRITER = """
import sys
from edgenn.atomic import replace_directory
OLD = {"a.tflite": b"old a" * 1000, "b.onnx": b"old b", "manifest.json": b"old"}
NEW = {"a.tflite": b"new a" * 1000, "c.tflite": b"new c" * 5000, "manifest.json": b"new"}
print("ready", flush=True)
while True:
    replace_directory(sys.argv[1], NEW)
    replace_directory(sys.argv[1], OLD)
"""


def test_a_writer_killed_at_any_moment_leaves_the_old_or_the_new_folder(tmp_path):
    target = tmp_path / "bundle"
    atomic.replace_directory(target, OLD)
    moments = random.Random(0)
    seen = set()
    for _ in range(15):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, target], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(moments.uniform(0, 0.02))
            os.kill(writer.pid, signal.SIGKILL)
        found = content(target)
        assert found in (OLD, NEW)
        seen.add(found["manifest.json"])
    atomic.replace_directory(target, NEW)
    assert list(tmp_path.iterdir()) == [target], "leftovers of killed writers are removed"


STEPS = """
import os, signal, sys
from edgenn import atomic
NEW = {"a.tflite": b"new a" * 1000, "c.tflite": b"new c" * 5000, "manifest.json": b"new"}
left = int(sys.argv[2])

def kill_before(event, arguments):
    global left
    if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree",
                 "ctypes.dlsym"):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(kill_before)
atomic.replace_directory(sys.argv[1], NEW)
print("done")
"""


def test_a_writer_killed_before_each_system_call(tmp_path):
    """Every step once, in order, until a run is not killed any more."""
    target = tmp_path / "bundle"
    for step in range(60):
        atomic.replace_directory(target, OLD)
        result = subprocess.run(
            [sys.executable, "-S", "-c", STEPS, target, str(step)],
            capture_output=True,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        found = content(target)
        assert found in (OLD, NEW), f"killed before step {step}"
        if result.returncode == 0:
            assert found == NEW
            break
        assert result.returncode == -signal.SIGKILL, result.stderr
    else:
        pytest.fail("the writer never finished")
    assert step > 8


def test_replaces_a_file(tmp_path):
    target = tmp_path / "out.npy"
    target.write_bytes(b"old")
    with atomic.replace_file(target) as draft:
        assert draft.suffix == ".npy"
        draft.write_bytes(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


def test_file_that_fails_stays_as_it_was(tmp_path):
    target = tmp_path / "out.npy"
    target.write_bytes(b"old")
    with pytest.raises(RuntimeError), atomic.replace_file(target) as draft:  # noqa: PT012
        draft.write_bytes(b"half")
        raise RuntimeError
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("name", ["missing/out.npy", "."])
def test_file_that_cannot_be_written(tmp_path, name):
    with pytest.raises(OutputError), atomic.replace_file(tmp_path / name) as draft:
        draft.write_bytes(b"x")
