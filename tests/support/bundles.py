"""A small bundle of real artifacts, with the float graph's outputs as its reference."""

import hashlib
import io
from pathlib import Path

import numpy as np
from support.artifacts import conv_graph, write_crashing_tflite, write_onnx, write_tflite

from edgenn.bundle import Bundle, write_bundle
from edgenn.data import dataset
from edgenn.ir.evaluator import evaluate
from edgenn.manifest import Artifact, Manifest, Reference, Source
from edgenn.runtime import TensorInfo

SAMPLES = np.random.default_rng(4).normal(size=(6, 4, 4, 2)).astype(np.float32)
INPUT = TensorInfo("x", (None, 4, 4, 2), "float32")
OUTPUT = TensorInfo("y", (None, 4, 4, 3), "float32")


def predict(data):
    graph = conv_graph()
    x = np.asarray(data.inputs["x"], np.float32)
    return {"y": evaluate(graph, {"x": x})[graph.outputs["y"]]}


class Told:
    """The Keras model of the bundle, which is its float graph."""

    is_loaded = False

    def __init__(self, outputs=predict):
        self.outputs = outputs

    def predict(self, data, sink):
        sink(self.outputs(data))

    def graph(self):
        return conv_graph()


def make_bundle(folder: Path, *, reference: bool = True, crash: bool = False) -> Bundle:
    """``net.float32.tflite`` and ``.onnx``; with ``crash`` a file on which LiteRT dies as well."""
    scratch = folder / "scratch"
    scratch.mkdir()
    contents = {
        "net.float32.tflite": write_tflite(conv_graph(), scratch).read_bytes(),
        "net.float32.onnx": write_onnx(conv_graph(), scratch).read_bytes(),
    }
    if crash:
        contents["net.int8.tflite"] = write_crashing_tflite(scratch).read_bytes()
    artifacts = tuple(
        Artifact(
            name,
            name.rpartition(".")[2],
            name.split(".")[1],
            hashlib.sha256(content).hexdigest(),
            len(content),
            (INPUT,),
            (OUTPUT,),
            {"conv_2d": 1},
            864,
        )
        for name, content in contents.items()
    )
    stored = None
    if reference:
        data = dataset({"x": SAMPLES})
        buffer = io.BytesIO()
        np.savez(buffer, **predict(data))
        contents["reference.npz"] = buffer.getvalue()
        sha256 = hashlib.sha256(buffer.getvalue()).hexdigest()
        stored = Reference("reference.npz", sha256, data.sha256)
    manifest = Manifest(
        name="net",
        edgenn_version="0.1.0",
        package_versions={},
        source=Source("net.keras", "keras", ""),
        options={},
        artifacts=artifacts,
        reference=stored,
        timings_s={"all": 1.5},
    )
    return write_bundle(folder / "bundle", contents, manifest)
