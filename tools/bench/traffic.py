"""Vehicles in five minutes from the last hour: two LSTMs (xiaochus/TrafficFlowPrediction, MIT).

A file of Keras 2.1, whose old hard sigmoid Keras 3 computes otherwise and says nothing.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

FILE, WINDOWS = "lstm.h5", "windows_12.npz"
KERAS_2_MAE = 7.216
"""In vehicles, of tf_keras."""


@dataclass(frozen=True)
class Traffic:
    """Windows ``(n, 12, 1)`` scaled to 0–1, and what really came, in vehicles ``(n,)``."""

    calibration: np.ndarray
    x: np.ndarray
    vehicles: np.ndarray
    keras_2: np.ndarray
    """tf_keras's predictions, in vehicles."""
    minimum: float
    maximum: float

    def to_vehicles(self, predictions: np.ndarray) -> np.ndarray:
        scaled = predictions.reshape(len(predictions)).astype(np.float64)
        return scaled * (self.maximum - self.minimum) + self.minimum

    def mean_error(self, predictions: np.ndarray) -> float:
        """Mean absolute error of scaled predictions, in vehicles."""
        return float(np.abs(self.to_vehicles(predictions) - self.vehicles).mean())


def load(folder: Path) -> Traffic:
    with np.load(folder / WINDOWS) as data:
        low, high = float(data["minimum"]), float(data["maximum"])
        keras_2 = data["keras2_prediction"].astype(np.float64) * (high - low) + low
        return Traffic(data["x_calibration"], data["x"], data["y"], keras_2, low, high)
