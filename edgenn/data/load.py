"""Data from wherever the user has them."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edgenn.data.files import read_npy, read_npz
from edgenn.data.recipe import read_recipe
from edgenn.data.samples import Dataset, dataset
from edgenn.errors import DataError


def load(source: Any, inputs: Sequence[str], *, split: str) -> Dataset:
    """Samples for a model's inputs.

    Args:
        source: A path to an .npy, .npz or recipe (.py); an array for a model of one input; a dict
            of arrays by input name, with labels under ``y``; or a dataset.
        inputs: The model's input names.
        split: Which split of a recipe: ``train``, ``calibration`` or ``test``.

    Raises:
        DataError: The data are missing, unreadable, no numbers, NaN, empty, or lack an input.
    """
    if isinstance(source, Dataset):
        return source
    if isinstance(source, str | os.PathLike):
        return load_file(Path(source), inputs, split)
    if isinstance(source, Mapping):
        missing = [name for name in inputs if name not in source]
        if missing:
            raise DataError(
                f"the data have nothing for input {missing[0]!r}, only {list(source)}",
                "give a dict with one array per input",
            )
        labels = source.get("y") if "y" not in inputs else None
        return dataset({name: source[name] for name in inputs}, labels)
    if len(inputs) != 1:
        raise DataError(
            f"one array was given, the model has {len(inputs)} inputs: {', '.join(inputs)}",
            "give a dict by input name",
        )
    return dataset({inputs[0]: source})


def load_file(path: Path, inputs: Sequence[str], split: str) -> Dataset:
    if not path.is_file():
        raise DataError(f"{path} does not exist" if not path.exists() else f"{path} is no file")
    if path.suffix == ".py":
        return read_recipe(path, inputs, split)
    readers = {".npy": read_npy, ".npz": read_npz}
    if path.suffix not in readers:
        raise DataError(
            f"{path}: data come as .npy, .npz or a recipe (.py), not {path.suffix or 'this'}"
        )
    try:
        return readers[path.suffix](path, inputs)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
