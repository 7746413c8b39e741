"""Reads samples from .npy and .npz files without ever holding them whole in memory."""

import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

import numpy as np

from edgenn.data.samples import Array, Dataset, dataset
from edgenn.errors import DataError

SAMPLES = "x"
LABELS = "y"


def read_npy(path: Path, inputs: Sequence[str]) -> Dataset:
    """The samples of a model with one input.

    Raises:
        DataError: The file cannot be read, or the model has several inputs.
    """
    if len(inputs) != 1:
        raise DataError(
            f"{path} holds one array, the model has {len(inputs)} inputs: {', '.join(inputs)}",
            "save an .npz with one array per input, named like it",
        )
    with path.open("rb") as file:
        return dataset({inputs[0]: map_array(file, str(path))}, source=str(path))


def read_npz(path: Path, inputs: Sequence[str]) -> Dataset:
    """``x``, or an array for every input by name, and the labels ``y`` where there are any.

    Raises:
        DataError: The file cannot be read or lacks an input.
    """
    with opened(path) as archive:
        members = {name.removesuffix(".npy"): name for name in archive.namelist()}
        names = {name: name for name in inputs}
        if len(inputs) == 1 and inputs[0] not in members:
            names = {inputs[0]: SAMPLES}
        missing = [stored for stored in names.values() if stored not in members]
        if missing:
            wanted = f"{SAMPLES!r} or {inputs[0]!r}" if len(inputs) == 1 else ", ".join(inputs)
            raise DataError(
                f"{path} has no array for {', '.join(names)}; it holds {', '.join(members)}",
                f"name the arrays {wanted}, and the labels {LABELS!r}",
            )
        arrays = {
            name: extract(archive, members[stored], f"{path}: {stored}")
            for name, stored in names.items()
        }
        has_labels = LABELS in members and LABELS not in names
        labels = extract(archive, members[LABELS], f"{path}: {LABELS}") if has_labels else None
    return dataset(arrays, labels, str(path))


def read_arrays(path: Path) -> dict[str, Array]:
    """All arrays of an .npz file by name, mapped.

    Raises:
        DataError: The file cannot be read.
    """
    with opened(path) as archive:
        return {
            member.removesuffix(".npy"): extract(archive, member, f"{path}: {member}")
            for member in archive.namelist()
        }


def opened(path: Path) -> zipfile.ZipFile:
    """An .npz file."""
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise DataError(
            f"{path} is no .npz file, or it is cut off", "save it with numpy.savez"
        ) from error


def extract(archive: zipfile.ZipFile, member: str, where: str) -> Array:
    """One array of an .npz, mapped from a nameless temporary file."""
    file = tempfile.TemporaryFile(suffix=".npy")  # noqa: SIM115 - the mapping outlives the block
    with file:
        try:
            with archive.open(member) as content:
                shutil.copyfileobj(content, file, 1 << 20)
        except (zipfile.BadZipFile, EOFError, ValueError) as error:
            raise DataError(f"{where} is damaged: {error}", "save it with numpy.savez") from error
        file.flush()
        file.seek(0)
        return map_array(file, where)


def map_array(file: BinaryIO, where: str) -> Array:
    """The array of an open .npy file, mapped read-only; it stays when the file is closed.

    Raises:
        DataError: No .npy, cut off, or one of Python objects.
    """
    try:
        version = np.lib.format.read_magic(file)
        # version 2 and 3 share a header, but for its text's encoding
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
        }.get(version, np.lib.format.read_array_header_2_0)
        shape, fortran_order, dtype = read_header(file)
    except ValueError as error:
        raise DataError(
            f"{where} is no .npy array: {error}", "save it with numpy.save or numpy.savez"
        ) from error
    if dtype.hasobject:
        raise DataError(
            f"{where} holds Python objects, which could run code when read",
            "save it as an array of numbers: all samples of one shape",
        )
    order: Literal["F", "C"] = "F" if fortran_order else "C"
    offset = file.tell()
    size = file.seek(0, 2)
    needed = offset + dtype.itemsize * int(np.prod(shape, dtype=np.int64))
    if size < needed:
        raise DataError(f"{where} is cut off: it has {size} of {needed} bytes", "copy it again")
    if needed == offset:
        return np.empty(shape, dtype)
    mapped: Array = np.memmap(cast(Any, file), dtype, "r", offset, shape, order)
    return mapped
