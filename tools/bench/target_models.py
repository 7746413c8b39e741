"""The models that targets are measured with: the repository's, and the real ones beside it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import common
import dtln
import numpy as np
import textgenrnn
import traffic

from edgenn.data.recipe import load_recipe

SAMPLES = 16
"""That a target runs; emulators take seconds for each."""

FRAMES = 20
"""Of a DTLN sequence: NPUs and GPUs have a copy of the cell for each."""


@dataclass(frozen=True)
class Case:
    """A model with its data.

    Attributes:
        title: In tables.
        model: The path of a file, or a Keras model.
        calibration: Typical samples.
        samples: What it is judged on.
    """

    name: str
    title: str
    model: Any
    calibration: np.ndarray
    samples: np.ndarray


def shipped(name: str, title: str) -> Callable[[], Case]:
    """A model of the repository, with the data of its recipe."""

    def load() -> Case:
        recipe = load_recipe(common.ROOT / "models" / f"{name}.py")
        calibration, _ = recipe.split("calibration")
        samples, _ = recipe.split("test")
        path = common.ROOT / "models" / "pretrained" / f"{name}.keras"
        return Case(name, title, path, calibration, samples[:SAMPLES])

    return load


def real(model: common.RealModel, title: str) -> Callable[[], Case]:
    def load() -> Case:
        calibration, samples = model.load()
        path = common.MODELS / model.file
        return Case(model.name, title, path, calibration, samples[:SAMPLES])

    return load


def vehicles() -> Case:
    folder = common.MODELS / "traffic-lstm"
    data = traffic.load(folder)
    spread = data.x[:: len(data.x) // SAMPLES][:SAMPLES]
    return Case("traffic", "traffic, two LSTMs", folder / traffic.FILE, data.calibration, spread)


def text() -> Case:
    folder = common.MODELS / "textgenrnn"
    data = textgenrnn.load_data(folder)
    model = textgenrnn.build_model(folder)
    title = "text, two LSTMs with attention"
    return Case("text", title, model, data["calibration"][0], data["test"][0][:SAMPLES])


def speech(stage: int) -> Callable[[], Case]:
    def load() -> Case:
        model = dtln.build_model(common.MODELS / "dtln", stage, stateful=False, steps=FRAMES)
        frames = dtln.inputs_of(stage, FRAMES * (20 + SAMPLES))
        sequences = frames.reshape(-1, FRAMES, frames.shape[-1])
        title = f"DTLN stage {stage}, two LSTMs"
        return Case(f"dtln_{stage}", title, model, sequences[:20], sequences[20:])

    return load


@dataclass(frozen=True)
class Source:
    """Where a case comes from; ``needs`` is missing where real models are not at hand."""

    load: Callable[[], Case]
    needs: Path | None = None


TITLES = {
    "ic": "image classification, ResNet-8",
    "kws": "keyword spotting, DS-CNN",
    "vww": "person detection, MobileNetV1",
    "rps": "rock, paper, scissors, CNN",
    "wand": "magic wand, CNN",
}

SOURCES: dict[str, Source] = {
    "digits_cnn": Source(shipped("digits_cnn", "digits, CNN")),
    "digits_gru": Source(shipped("digits_gru", "digits, GRU")),
    **{
        model.name: Source(real(model, TITLES[model.name]), common.MODELS / model.file)
        for model in common.REAL_MODELS
    },
    "traffic": Source(vehicles, common.MODELS / "traffic-lstm"),
    "text": Source(text, common.MODELS / "textgenrnn"),
    "dtln_1": Source(speech(1), common.MODELS / "dtln"),
    "dtln_2": Source(speech(2), common.MODELS / "dtln"),
}

SHIPPED = ("digits_cnn", "digits_gru")
