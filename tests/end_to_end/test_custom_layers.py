"""A .keras file with the user's own layer, converted with the file that defines it."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from edgenn import Session

LAYER = '''
import keras


class Shifted(keras.layers.Layer):
    """Adds a weight of its own, by keras.ops."""

    def build(self, shape):
        self.shift = self.add_weight(shape=(shape[-1],), initializer="ones", name="shift")

    def call(self, x):
        return keras.ops.relu(x) + self.shift
'''

MODEL = """
import keras
from layer import Shifted
inputs = keras.Input((6,), name="x")
keras.Model(inputs, Shifted(name="own")(inputs), name="m").save("m.keras")
"""


def edgenn(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edgenn.cli.main", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_the_files_layers_are_known_with_custom_and_named_without(tmp_path: Path) -> None:
    (tmp_path / "layer.py").write_text(LAYER)
    subprocess.run([sys.executable, "-c", MODEL], cwd=tmp_path, check=True, capture_output=True)
    refused = edgenn(tmp_path, "convert", "m.keras", "-o", "out")
    assert refused.returncode in (2, 3)
    assert "Shifted" in refused.stderr
    assert "--custom" in refused.stderr
    assert not (tmp_path / "out").exists()

    done = edgenn(tmp_path, "convert", "m.keras", "-o", "out", "--custom", "layer.py")
    assert done.returncode == 0, done.stderr
    x = np.array([[-1, 0, 1, 2, -3, 4]], np.float32)
    assert np.array_equal(Session(tmp_path / "out/m.float32.tflite").run(x), np.maximum(x, 0) + 1)
    data = tmp_path / "x.npy"
    np.save(data, x)
    checked = edgenn(tmp_path, "check", "out", "--data", "x.npy")
    assert checked.returncode == 0, checked.stderr
