"""What Keras itself says: the reference that artifacts are judged by."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from edgenn.frontend.capture import subclass_inputs
from edgenn.frontend.keras_import import keras
from edgenn.frontend.stateful import Sequences, kept_states, reset
from edgenn.frontend.walking import functional_of
from edgenn.ir.tensor import Array


def predict(
    model: Any,
    inputs: Sequence[str],
    outputs: Sequence[str],
    batches: Iterable[Mapping[str, Array]],
    sequences: Sequences | None = None,
) -> dict[str, Array]:
    """Output name → predictions for all samples; as ``predict_batches``."""
    parts = list(predict_batches(model, inputs, outputs, batches, sequences))
    return {name: np.concatenate([part[name] for part in parts]) for name in outputs}


def predict_batches(
    model: Any,
    inputs: Sequence[str],
    outputs: Sequence[str],
    batches: Iterable[Mapping[str, Array]],
    sequences: Sequences | None = None,
) -> Iterator[dict[str, Array]]:
    """Predictions of a Keras model at inference, batch by batch.

    States that layers keep are reset before every batch, and left as they were found.

    Args:
        inputs: Public input names, in the model's order.
        outputs: Public output names, in the model's order.
        batches: Public input name → array.
        sequences: How to cut batches with more steps than the model takes.

    Yields:
        Output name → array over the samples of a batch.
    """
    structure = positional_inputs(model)

    def predicted(batch: Mapping[str, Array]) -> list[Array]:
        given = keras.tree.pack_sequence_as(structure, [np.asarray(batch[name]) for name in inputs])
        # Keras compiles its function once, but for models that take one argument only
        several = len(structure) > 1
        result = model(*given, training=False) if several else model.predict_on_batch(*given)
        return [np.asarray(part) for part in keras.tree.flatten(result)]

    # Keras's function, once it has seen two lengths, is traced for any: TimeDistributed in Keras
    # 3.15 then gives as many steps as the batch has sequences
    model.predict_function = None
    with kept_states(model):
        for batch in batches:
            reset(model)
            if sequences is None:
                results = predicted(batch)
            else:
                pieces = [predicted(piece) for piece in sequences.pieces(batch)]
                results = sequences.joined(outputs, pieces)
            yield dict(zip(outputs, results, strict=True))


def positional_inputs(model: Any) -> tuple[Any, ...]:
    """The arguments of a model's call, each a structure of inputs."""
    function = functional_of(model)
    return subclass_inputs(model) if function is None else (function._inputs_struct,)
