"""Recipes: a Python file that says how a model is built, with which data, and how it is judged.

A recipe has three functions: ``build_model()`` gives a compiled Keras model, ``load_data()`` a
dict of splits (``train``, ``test`` and, if there is one, ``calibration``), each a pair of samples
and labels; ``score(predictions, labels)`` a number, higher is better. ``METRICS`` may name more
task metrics for a check, such as ``("word_error_rate",)``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgenn.data.python_file import run_file
from edgenn.data.samples import Dataset, dataset
from edgenn.errors import DataError, ModelFileError

FUNCTIONS = ("build_model", "load_data", "score")


@dataclass(frozen=True)
class Recipe:
    """A recipe's functions and constants.

    Attributes:
        epochs: ``EPOCHS`` in the file.
        batch_size: ``BATCH_SIZE`` in the file.
        seed: ``SEED`` in the file.
        metrics: ``METRICS`` in the file.
    """

    path: Path
    build_model: Callable[[], Any]
    load_data: Callable[[], Mapping[str, tuple[Any, Any]]]
    score: Callable[[Any, Any], float]
    epochs: int = 10
    batch_size: int = 32
    seed: int = 0
    metrics: tuple[str, ...] = ()

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
    module = run_file(path)
    missing = [function for function in FUNCTIONS if not callable(getattr(module, function, None))]
    if missing:
        raise ModelFileError(
            f"{path} is no recipe: it has no function {', '.join(missing)}",
            "see models/digits_cnn.py for one",
        )
    constants = {name: name.upper() for name in ("epochs", "batch_size", "seed", "metrics")}
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
    recipe = load_recipe(path)
    samples, labels = recipe.split(split)
    source = f"{path} ({split})"
    arrays = by_input(samples, inputs, source)
    read = dataset(arrays, labels, source)
    return replace(read, score=recipe.score, metrics=tuple(recipe.metrics))


def by_input(samples: Any, inputs: Sequence[str], source: str) -> dict[str, Any]:
    """A recipe's samples by input name.

    Raises:
        DataError: An input has none.
    """
    if isinstance(samples, Mapping):
        return {name: require(samples, name, source) for name in inputs}
    if len(inputs) != 1:
        raise DataError(
            f"{source} is one array, the model has {len(inputs)} inputs: {', '.join(inputs)}",
            "give a dict by input name",
        )
    return {inputs[0]: samples}


def require(samples: Mapping[str, Any], name: str, source: str) -> Any:
    if name not in samples:
        raise DataError(f"{source} has nothing for input {name!r}, only {list(samples)}")
    return samples[name]
