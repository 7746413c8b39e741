"""Recipes: a Python file that says how a model is built, with which data, and how it is judged.

A recipe has three functions: ``build_model()`` gives a compiled Keras model, ``load_data()`` a
dict of splits (``train``, ``test`` and, if there is one, ``calibration``), each a pair of samples
and labels; ``score(predictions, labels)`` a number, higher is better.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from edgenn.data.samples import Dataset, dataset
from edgenn.errors import DataError, ModelFileError
from edgenn.quiet import import_keras

FUNCTIONS = ("build_model", "load_data", "score")


@dataclass(frozen=True)
class Recipe:
    """A recipe's functions and constants.

    Attributes:
        epochs: ``EPOCHS`` in the file.
        batch_size: ``BATCH_SIZE`` in the file.
        seed: ``SEED`` in the file.
    """

    path: Path
    build_model: Callable[[], Any]
    load_data: Callable[[], Mapping[str, tuple[Any, Any]]]
    score: Callable[[Any, Any], float]
    epochs: int = 10
    batch_size: int = 32
    seed: int = 0

    def split(self, name: str) -> tuple[Any, Any]:
        """Samples and labels of a split.

        Raises:
            DataError: The recipe has no such split, or its ``load_data`` failed.
        """
        try:
            data = self.load_data()
        except (Exception, SystemExit) as error:
            raise DataError(
                f"{self.path}: load_data() failed: {type(error).__name__}: {error}"
            ) from error
        if name not in data:
            raise DataError(f"{self.path}: load_data() gives no {name!r}, only {list(data)}")
        samples, labels = data[name]
        return samples, labels


def load_recipe(path: str | Path) -> Recipe:
    """Runs a recipe's file.

    Raises:
        ModelFileError: It is missing, fails, or lacks a function.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelFileError(f"{path} does not exist")
    # a name of its own: recipes called like a package must not hide it
    name = f"edgenn_recipe_{path.stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ModelFileError(f"{path} is no Python file", "a recipe ends in .py")
    module = module_from_spec(spec)
    with suppress(ImportError):  # before the recipe imports it aloud
        import_keras()
    sys.modules[name] = module  # Keras finds classes that the recipe registers by their module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise ModelFileError(f"{path} fails: {type(error).__name__}: {error}") from error
    missing = [function for function in FUNCTIONS if not callable(getattr(module, function, None))]
    if missing:
        raise ModelFileError(
            f"{path} is no recipe: it has no function {', '.join(missing)}",
            "see models/digits_cnn.py for one",
        )
    constants = {"epochs": "EPOCHS", "batch_size": "BATCH_SIZE", "seed": "SEED"}
    return Recipe(
        path,
        *(getattr(module, function) for function in FUNCTIONS),
        **{key: getattr(module, c) for key, c in constants.items() if hasattr(module, c)},
    )


def read_recipe(path: Path, inputs: Sequence[str], split: str) -> Dataset:
    """One split of a recipe as a dataset.

    Raises:
        DataError: The split does not exist or does not fit.
        ModelFileError: The recipe cannot be run.
    """
    samples, labels = load_recipe(path).split(split)
    source = f"{path} ({split})"
    if isinstance(samples, Mapping):
        return dataset({name: require(samples, name, source) for name in inputs}, labels, source)
    if len(inputs) != 1:
        raise DataError(
            f"{source} is one array, the model has {len(inputs)} inputs: {', '.join(inputs)}",
            "give a dict by input name",
        )
    return dataset({inputs[0]: samples}, labels, source)


def require(samples: Mapping[str, Any], name: str, source: str) -> Any:
    if name not in samples:
        raise DataError(f"{source} has nothing for input {name!r}, only {list(samples)}")
    return samples[name]
