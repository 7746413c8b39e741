"""Trains a recipe's model and writes it as a .keras file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgenn.atomic import replace_file
from edgenn.data import load_recipe
from edgenn.errors import OutputError, UnavailableError
from edgenn.progress import Progress


@dataclass(frozen=True)
class Trained:
    """What came out of training.

    Attributes:
        path: The .keras file.
        score: Of the recipe's ``score`` on its test split.
        parameters: Number of weights.
    """

    path: Path
    score: float
    parameters: int


def train(
    recipe: str | Path, output: str | Path | None = None, *, progress: Progress | None = None
) -> Trained:
    """Trains with the recipe's seed, epochs and batch size.

    Args:
        recipe: A Python file with ``build_model``, ``load_data`` and ``score``.
        output: A .keras file; by default named like the recipe, in the current folder.

    Raises:
        ModelFileError: The recipe cannot be run.
        DataError: It has no ``train`` or ``test`` split.
        OutputError: The file cannot be written.
        UnavailableError: Keras is not installed.
    """
    loaded = load_recipe(recipe)
    path = Path(output) if output is not None else Path(f"{loaded.path.stem}.keras")
    if path.suffix != ".keras":
        raise OutputError(f"{path} must end in .keras", f"write to {path.stem}.keras")
    try:
        import keras
    except ModuleNotFoundError as error:
        raise UnavailableError("Keras is not installed", "pip install 'edgenn[convert]'") from error
    keras.utils.set_random_seed(loaded.seed)
    samples, labels = loaded.split("train")
    model = loaded.build_model()
    model.fit(
        samples,
        labels,
        epochs=loaded.epochs,
        batch_size=loaded.batch_size,
        verbose=0,
        callbacks=[epoch_counter(keras, loaded.epochs, progress)] if progress else [],
    )
    test_samples, test_labels = loaded.split("test")
    score = loaded.score(model.predict(test_samples, verbose=0), test_labels)
    # a fresh model has no optimizer state, which would triple the file
    fresh = loaded.build_model()
    fresh.set_weights(model.get_weights())
    with replace_file(path) as draft:
        fresh.save(draft)
    return Trained(path, float(score), int(model.count_params()))


def epoch_counter(keras: Any, epochs: int, progress: Progress) -> Any:
    """A Keras callback that reports every finished epoch."""
    return keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: progress("training", epoch + 1, epochs)
    )
