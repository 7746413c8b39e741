"""Files and folders that appear whole or not at all, whenever the process is killed.

A folder is written beside its place under another name, flushed to disk, and then exchanged with
the old one in a single system call (Linux ``renameat2(RENAME_EXCHANGE)``, macOS
``renamex_np(RENAME_SWAP)``): at every moment its name leads to the whole old folder or to the
whole new one. A file system without an exchange gets two renames instead; a process killed
between the two leaves the old folder under a name that ``recover`` knows.

What a killed process leaves behind beside the folder is removed by the next writer; a lock on it
tells whether its owner still lives.
"""

import ctypes
import errno
import fcntl
import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from edgenn.errors import OutputError

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_RENAME_SWAP = 2
_NO_EXCHANGE = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM)


def replace_directory(target: str | Path, files: Mapping[str, bytes]) -> None:
    """Makes ``target`` a folder that holds exactly ``files``.

    Args:
        target: A new folder, or one that is replaced as a whole.
        files: Name → content.

    Raises:
        OutputError: It cannot be written; ``target`` is as it was and nothing is left beside it.
    """
    target = Path(target).resolve()
    with _explained(target):
        made = _make_parents(target.parent)
        try:
            recover(target)
            _remove_leftovers(target)
            _replace(target, files)
        except BaseException:
            for folder in reversed(made):
                with suppress(OSError):
                    folder.rmdir()
            raise


def recover(target: Path) -> None:
    """Puts the old folder back where a process was killed between two renames."""
    target = target.resolve()
    previous = _previous(target)
    if previous.is_dir() and not target.exists():
        previous.rename(target)


@contextmanager
def replace_file(target: str | Path) -> Iterator[Path]:
    """A path to write to; it takes the place of ``target`` when the block ends without error.

    Raises:
        OutputError: It cannot be written; ``target`` is as it was.
    """
    target = Path(target)
    # the suffix stays, because writers such as Keras go by it
    draft = target.with_name(f".{target.stem}.{secrets.token_hex(4)}{target.suffix}")
    with _explained(target):
        if target.is_dir():
            raise OutputError(f"{target} is a folder", "give the name of a file")
        try:
            yield draft
            _flush(draft)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)


def _replace(target: Path, files: Mapping[str, bytes]) -> None:
    draft = target.with_name(f"{_prefix(target)}{secrets.token_hex(4)}")
    draft.mkdir()
    lock = os.open(draft, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name, content in files.items():
            with (draft / name).open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        os.fsync(lock)
        _move(draft, target)
        _flush(target.parent)
    finally:
        # the draft itself when something failed, the old folder when all went well
        shutil.rmtree(draft, ignore_errors=True)
        os.close(lock)


def _move(draft: Path, target: Path) -> None:
    """Puts the draft in the target's place, and the old target in the draft's."""
    if not target.exists():
        draft.rename(target)
        return
    try:
        exchange(draft, target)
    except OSError as error:
        if error.errno not in _NO_EXCHANGE:
            raise
        previous = _previous(target)
        target.rename(previous)
        try:
            draft.rename(target)
        except OSError:
            previous.rename(target)
            raise
        shutil.rmtree(previous, ignore_errors=True)


def exchange(a: Path, b: Path) -> None:
    """Swaps two names in one system call.

    Raises:
        OSError: ENOSYS where the system has no such call, EINVAL where the file system has none.
    """
    library = ctypes.CDLL(None, use_errno=True)
    first, second = os.fsencode(a), os.fsencode(b)
    try:
        if sys.platform == "darwin":
            failed = library.renamex_np(first, second, ctypes.c_uint(_RENAME_SWAP))
        else:
            failed = library.renameat2(
                _AT_FDCWD, first, _AT_FDCWD, second, ctypes.c_uint(_RENAME_EXCHANGE)
            )
    except AttributeError as error:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS)) from error
    if failed:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(a), None, str(b))


def _prefix(target: Path) -> str:
    return f".{target.name}.edgenn-"


def _previous(target: Path) -> Path:
    return target.with_name(f"{_prefix(target)}previous")


def _remove_leftovers(target: Path) -> None:
    """Drafts whose writer was killed, and the old folder of one killed before its removal."""
    for entry in target.parent.iterdir():
        if not entry.name.startswith(_prefix(target)) or not entry.is_dir():
            continue
        lock = os.open(entry, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue  # its writer lives
        else:
            shutil.rmtree(entry, ignore_errors=True)
        finally:
            os.close(lock)


def _make_parents(folder: Path) -> list[Path]:
    """Makes a folder and its parents; gives those that were made, outermost first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    missing.reverse()
    for path in missing:
        path.mkdir(exist_ok=True)
    return missing


def _flush(path: Path) -> None:
    """Forces a file or a folder's entries to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _explained(target: Path) -> Iterator[None]:
    """Failures of the system, for people."""
    hints = {
        errno.ENOSPC: "make room, or choose a folder on another disk",
        errno.EDQUOT: "make room, or choose a folder on another disk",
        errno.EACCES: "choose a folder that you may write to",
        errno.EPERM: "choose a folder that you may write to",
        errno.EROFS: "choose a folder that you may write to",
        errno.EBUSY: "it is where a disk is mounted: choose a folder inside it",
    }
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"{target} cannot be written: {reason}", hints.get(error.errno or 0, "")
        ) from error
