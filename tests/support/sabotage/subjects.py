"""What is sabotaged: a model in a scheme and a form, converted and ready to be checked."""

import hashlib
import importlib.util
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import keras
import numpy as np

from edgenn import api, bundle, compiler
from edgenn.bundle import Bundle
from edgenn.description import ports, states
from edgenn.importing import read_tflite_graph
from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Array
from edgenn.manifest import Manifest

ROOT = Path(__file__).parents[3]
HYBRID_SEED = 3
HYBRID_EPOCHS = 15


@dataclass(frozen=True)
class Converted:
    """A bundle with one .tflite file, in memory.

    Attributes:
        manifest: As ``convert`` wrote it.
        graph: Of the file, read back.
        sides: The bundle's other files.
    """

    manifest: Manifest
    graph: Graph
    sides: Mapping[str, bytes]

    def with_graph(self, graph: Graph) -> "Converted":
        return replace(self, graph=graph)

    def write(self, folder: Path) -> Bundle:
        """The bundle with the graph as its file; the manifest fits it, as a converter's would."""
        (entry,) = self.manifest.artifacts
        content = compiler.written(self.graph, "tflite")
        new = replace(
            entry,
            sha256=hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
            inputs=ports(self.graph, self.graph.inputs, "tflite"),
            outputs=ports(self.graph, self.graph.outputs, "tflite"),
            states=states(self.graph, "tflite"),
        )
        manifest = replace(self.manifest, artifacts=(new,))
        return bundle.write_bundle(folder, {entry.file: content, **self.sides}, manifest)


@dataclass(frozen=True)
class Subject:
    """A model, the scheme it is converted in and the form of its recurrent layers."""

    model: str
    scheme: str
    form: str = "loop"

    @property
    def label(self) -> str:
        return f"{self.model} {self.scheme}" + ("" if self.model == "cnn" else f" {self.form}")

    def healthy(self) -> Converted:
        return healthy(self)

    def reference(self) -> keras.Model:
        return keras_model(self.model)

    def data(self) -> Mapping[str, tuple[Array, Array]]:
        return digits(self.model)

    def convert(self, model: keras.Model, calibration: Array) -> Converted:
        """Any model of this kind, with any calibration data."""
        with tempfile.TemporaryDirectory() as folder:
            made = api.convert(
                model,
                Path(folder) / "bundle",
                formats=["tflite"],
                quantize=[self.scheme],
                calibration=calibration if self.scheme == "int8" else None,
                rnn=self.form,
                name=self.model,
            )
            (file,) = made.artifacts
            graph = read_tflite_graph(made.file(file))
            sides = {name: made.file(name).read_bytes() for name in made.manifest.side_files}
        return Converted(made.manifest, graph, sides)


@cache
def healthy(subject: Subject) -> Converted:
    return subject.convert(subject.reference(), subject.data()["calibration"][0])


@cache
def digits(model: str) -> Mapping[str, tuple[Array, Array]]:
    """``train``, ``calibration`` and ``test`` as the model takes them."""
    recipe = "digits_cnn" if model == "cnn" else "digits_gru"
    spec = importlib.util.spec_from_file_location(recipe, ROOT / "models" / f"{recipe}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load_data()


@cache
def keras_model(name: str) -> keras.Model:
    if name == "hybrid":
        return trained_hybrid()
    return keras.models.load_model(ROOT / "models" / "pretrained" / f"digits_{name}.keras")


def trained_hybrid() -> keras.Model:
    """A convolution over the picture, a GRU over its rows; trained in a few seconds."""
    layers = keras.layers
    keras.utils.set_random_seed(HYBRID_SEED)
    rows = keras.Input((8, 8), name="rows")
    x = layers.Rescaling(1 / 16, name="rescale")(rows)
    x = layers.Reshape((8, 8, 1), name="picture")(x)
    x = layers.Conv2D(8, 3, padding="same", activation="relu", name="conv_1")(x)
    x = layers.Conv2D(8, 3, padding="same", name="conv_2")(x)
    x = layers.Reshape((8, 64), name="sequence")(x)
    x = layers.GRU(24, name="gru")(x)
    outputs = layers.Dense(10, activation="softmax", name="digit")(x)
    model = keras.Model(rows, outputs, name="hybrid")
    model.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy")
    model.fit(*digits("hybrid")["train"], epochs=HYBRID_EPOCHS, batch_size=64, verbose=0)
    return model


def test_data(subject: Subject, path: Path) -> Path:
    """The test split as a file, with labels."""
    inputs, labels = subject.data()["test"]
    (name,) = (tensor.name for tensor in subject.reference().inputs)
    np.savez(path, **{name: inputs, "y": labels})
    return path


test_data.__test__ = False
