"""Published trained models that lie beside the checkout; tests skip where they do not."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from edgenn.ir.tensor import Array

MODELS = Path(os.environ.get("EDGENN_REAL_MODELS", Path(__file__).parents[3] / "shared" / "models"))


def real(name: str) -> Path:
    """The path of a file or folder; skips the test where it is absent."""
    if not (MODELS / name).exists():
        pytest.skip(f"{MODELS / name} is not here; see EDGENN_REAL_MODELS")
    return MODELS / name


def array(name: str, key: str, part: str | None = None) -> Array:
    """One array of an .npz file as float32, or the rows that its index array ``part`` names."""
    with np.load(real(name)) as file:
        values = file[key] if part is None else file[key][file[part]]
    return np.asarray(values, np.float32)


@dataclass(frozen=True)
class RealModel:
    """A trained model with inputs to calibrate on and to try."""

    file: str
    calibration: Callable[[], Array]
    evaluation: Callable[[], Array]


PATCHES = "mlperf-tiny-ic/photo_patches_32x32.npz"
SPEECH = "espeak-commands-dev/mfcc_49x10.npz"
PHOTOS = "mlperf-tiny-vww/photos_96x96.npz"


def made_up(*shape: int) -> Callable[[], Array]:
    """Inputs for models whose own data are not published."""
    return lambda: np.random.default_rng(0).uniform(0, 1, (24, *shape)).astype(np.float32)


REAL_MODELS: dict[str, RealModel] = {
    "image classification": RealModel(
        "mlperf-tiny-ic/pretrainedResnet.h5",
        lambda: array(PATCHES, "x", "calibration"),
        lambda: array(PATCHES, "x", "evaluation"),
    ),
    "keyword spotting": RealModel(
        "mlperf-tiny-kws/kws_ref_model",
        lambda: array(SPEECH, "x", "calibration"),
        lambda: array(SPEECH, "x", "evaluation"),
    ),
    "visual wake words": RealModel(
        "mlperf-tiny-vww/vww_96.h5",
        lambda: array(PHOTOS, "patches") / 255,
        lambda: np.concatenate([array(PHOTOS, "photos"), array(PHOTOS, "patches")]) / 255,
    ),
    "rock paper scissors": RealModel(
        "mltk-rock-paper-scissors/rock_paper_scissors.h5", made_up(84, 84, 1), made_up(84, 84, 1)
    ),
    "magic wand": RealModel(
        "mltk-magic-wand/tflite_micro_magic_wand.h5", made_up(128, 3, 1), made_up(128, 3, 1)
    ),
}
