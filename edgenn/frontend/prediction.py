"""What Keras itself says: the reference that artifacts are judged by."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from edgenn.frontend.keras_import import keras
from edgenn.ir.tensor import Array


def predict(
    model: Any,
    inputs: Sequence[str],
    outputs: Sequence[str],
    batches: Iterable[Mapping[str, Array]],
) -> dict[str, Array]:
    """Predictions of a Keras model at inference.

    Args:
        inputs: Public input names, in the model's order.
        outputs: Public output names, in the model's order.
        batches: Public input name → array.

    Returns:
        Output name → array over all samples.
    """
    structure = model.input if getattr(model, "inputs", None) else None
    parts: list[list[Array]] = []
    for batch in batches:
        arrays = [np.asarray(batch[name]) for name in inputs]
        given: Any = arrays[0] if len(arrays) == 1 else arrays
        if structure is not None:
            given = keras.tree.pack_sequence_as(structure, arrays)
        result = model.predict_on_batch(given)
        parts.append([np.asarray(part) for part in keras.tree.flatten(result)])
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return dict(zip(outputs, columns, strict=True))
