"""The digits model that the repository ships, converted as ``make demo`` does."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.command_line import Output, edgenn, succeeded

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "models" / "pretrained" / "digits_cnn.keras"
RECIPE = ROOT / "models" / "digits_cnn.py"
SCHEMES = ("float32", "float16", "dynamic", "int8", "int16x8")
ARTIFACTS = {f"digits_cnn.{scheme}.{kind}" for scheme in SCHEMES for kind in ("tflite", "onnx")}


@dataclass(frozen=True)
class Digits:
    """The demo's bundle.

    Attributes:
        folder: Where the command ran; the bundle is ``bundle`` in it.
        said: By ``edgenn convert``.
    """

    folder: Path
    said: Output

    @property
    def bundle(self) -> Path:
        return self.folder / "bundle"

    @property
    def manifest(self) -> dict[str, Any]:
        manifest: dict[str, Any] = json.loads((self.bundle / "manifest.json").read_text("utf-8"))
        return manifest


def convert_digits(folder: Path) -> Digits:
    """All schemes and formats, with the Keras predictions on the test split."""
    quantize = [word for scheme in SCHEMES for word in ("--quantize", scheme)]
    data = ("--calibration", RECIPE, "--reference", RECIPE)
    said = edgenn("convert", MODEL, "-o", "bundle", *data, *quantize, cwd=folder)
    return Digits(folder, succeeded(said))
