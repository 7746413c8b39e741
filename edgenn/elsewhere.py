"""What a check is given: a bundle, or artifacts that another converter wrote."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgenn.bundle import Bundle
from edgenn.reference import KerasTruth, source_of_truth


def artifacts_to_check(
    paths: str | Path | Sequence[str | Path], model: Any
) -> tuple[Bundle, KerasTruth | None]:
    """The bundle of a folder, and the Keras model that it was made of, where that is at hand.

    Raises:
        ArtifactError: No bundle, or one whose files were changed.
        UsageError: The model has changed since.
    """
    if isinstance(paths, str | Path):
        converted = Bundle.load(paths)
        return converted, source_of_truth(converted, model)
    raise NotImplementedError
