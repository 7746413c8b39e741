"""The outputs of one rung, on disk: any number of samples in bounded memory."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np

from edgenn.data.files import read_arrays
from edgenn.data.mapped import let_go
from edgenn.errors import ArtifactError, DataError, OutputError
from edgenn.runtime.tensor_info import Array

CHUNK_BYTES = 1 << 20
"""Of the outputs that ``chunks`` gives at once."""


@dataclass
class _Column:
    """One output: a nameless file of rows."""

    file: BinaryIO
    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def row_bytes(self) -> int:
        return self.dtype.itemsize * int(np.prod(self.shape, dtype=np.int64))

    def read(self, start: int, stop: int) -> Array:
        array = np.empty((stop - start, *self.shape), self.dtype)
        content = array.reshape(-1).view(np.uint8).data
        done, offset = 0, start * self.row_bytes
        while done < len(content):
            done += os.preadv(self.file.fileno(), [content[done:]], offset + done)
        return array


class OutputStore:
    """Outputs by name, appended part by part and read back in chunks.

    They lie in nameless files, which are gone when the store is closed or the process ends,
    however it ends. Different chunks may be read from several threads.

    Args:
        folder: On whose disk; the system's folder for temporary files by default.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._columns: dict[str, _Column] = {}
        self._count = 0

    def __len__(self) -> int:
        """How many samples there are."""
        return self._count

    @property
    def names(self) -> list[str]:
        return list(self._columns)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Output name → shape over all samples."""
        return {name: (self._count, *column.shape) for name, column in self._columns.items()}

    def append(self, part: Mapping[str, Array]) -> None:
        """Adds samples behind those that are there.

        Args:
            part: Output name → array, samples first; of the dtypes and shapes of the parts before.

        Raises:
            DataError: Arrays that do not go together, or not with the parts before.
            OutputError: The disk is full.
        """
        arrays = {name: np.ascontiguousarray(array) for name, array in part.items()}
        counts = {name: len(array) if part[name].ndim else None for name, array in arrays.items()}
        if len(set(counts.values())) != 1 or None in counts.values():
            raise DataError(f"the outputs differ in their number of samples: {counts}")
        if not self._columns:
            for name, array in arrays.items():
                file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115
                self._columns[name] = _Column(file, array.dtype, array.shape[1:])
        kinds = {name: (array.dtype, array.shape[1:]) for name, array in arrays.items()}
        known = {name: (column.dtype, column.shape) for name, column in self._columns.items()}
        if kinds != known:
            raise DataError(f"outputs changed from {spelled(known)} to {spelled(kinds)}")
        for name, array in arrays.items():
            self._write(self._columns[name], array)
        self._count += len(next(iter(arrays.values())))

    def _write(self, column: _Column, array: Array) -> None:
        content = array.reshape(-1).view(np.uint8).data
        done, offset = 0, self._count * column.row_bytes
        try:
            while done < len(content):
                done += os.pwrite(column.file.fileno(), content[done:], offset + done)
        except OSError as error:
            where = self._folder or tempfile.gettempdir()
            raise OutputError(
                f"the outputs do not fit into {where}: {error.strerror}",
                "free some space there, or set TMPDIR to another folder",
            ) from error

    def read(self, start: int, stop: int) -> dict[str, Array]:
        """The samples from ``start`` to before ``stop``, as far as there are any."""
        start, stop, _ = slice(start, stop).indices(self._count)
        rows = max(start, stop)
        return {name: column.read(start, rows) for name, column in self._columns.items()}

    def mapped(self, name: str) -> Array:
        """All samples of an output, mapped read-only: for functions that take whole arrays."""
        column = self._columns[name]
        shape = (self._count, *column.shape)
        if 0 in shape:
            return np.empty(shape, column.dtype)
        return np.memmap(column.file, column.dtype, "r", 0, shape)

    def chunks(self, size: int | None = None) -> Iterator[dict[str, Array]]:
        """All samples, so many at a time; by default what fits into bounded memory."""
        size = size or rows_within(CHUNK_BYTES, [c.row_bytes for c in self._columns.values()])
        for start in range(0, self._count, size):
            yield self.read(start, start + size)

    @classmethod
    def of_npz(cls, path: Path, folder: Path | None = None) -> Self:
        """The arrays of an .npz file, such as predictions that are kept in a bundle.

        Raises:
            ArtifactError: The file is damaged, or its arrays do not go together.
            OutputError: The disk is full.
        """
        store = cls(folder)
        try:
            arrays = read_arrays(path)
            counts = {name: len(array) if array.ndim else 0 for name, array in arrays.items()}
            if len(set(counts.values())) > 1:
                raise DataError(f"{path}: the arrays differ in their number of samples: {counts}")
            rows = [array.nbytes // max(1, counts[name]) for name, array in arrays.items()]
            size = rows_within(CHUNK_BYTES, rows)
            # once at least: an empty array has a shape too
            for start in range(0, max(1, *counts.values()) if counts else 0, size):
                store.append({name: array[start : start + size] for name, array in arrays.items()})
                let_go(*arrays.values())
        except BaseException as error:
            store.close()
            if isinstance(error, DataError):
                raise ArtifactError(error.message, "convert the model again") from error
            raise
        return store

    def close(self) -> None:
        """Forgets the outputs."""
        for column in self._columns.values():
            column.file.close()
        self._columns = {}
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def rows_within(size_bytes: int, row_bytes: list[int]) -> int:
    """How many samples stay within so many bytes; 1 at least."""
    return max(1, size_bytes // max(1, sum(row_bytes)))


def spelled(kinds: Mapping[str, tuple[np.dtype, tuple[int, ...]]]) -> str:
    """Names, dtypes and shapes of samples, for messages."""
    return ", ".join(f"{name!r} {dtype} {shape}" for name, (dtype, shape) in kinds.items())
