"""Outputs of an artifact beside those of Keras."""

from collections.abc import Mapping

from edgenn.data import Dataset
from edgenn.drift.metrics import Value, compute_metrics
from edgenn.errors import ArtifactError, DataError
from edgenn.runtime.tensor_info import Array

Outputs = Mapping[str, Array]


def compare(
    reference: Outputs, outputs: Outputs, data: Dataset, where: str
) -> dict[str, dict[str, Value]]:
    """Output name → metric → value.

    Raises:
        ArtifactError: An output is missing.
        DataError: An output has another shape.
    """
    for name, expected in reference.items():
        if name not in outputs:
            raise ArtifactError(f"{where} has no output {name!r}, only {list(outputs)}")
        if outputs[name].shape != expected.shape:
            raise DataError(
                f"{where}: output {name!r} has shape {outputs[name].shape}, Keras gave"
                f" {expected.shape}"
            )
    return {
        name: metrics(expected, outputs[name], data, reference)
        for name, expected in reference.items()
    }


def metrics(expected: Array, actual: Array, data: Dataset, reference: Outputs) -> dict[str, Value]:
    # labels belong to the only output; with several nobody says to which
    labels = data.labels if len(reference) == 1 else None
    return compute_metrics(expected, actual, labels)
