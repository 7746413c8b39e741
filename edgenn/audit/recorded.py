"""What a bundle says of the data that it was calibrated with."""

from pathlib import Path

from edgenn.audit.scaling import REMEDY, scale_words
from edgenn.data import Dataset, load
from edgenn.data.samples import chunks
from edgenn.errors import EdgennError
from edgenn.ir.tensor import INTEGER_RANGES
from edgenn.manifest import Artifact, Manifest
from edgenn.quantization.parameters import Range
from edgenn.runtime.tensor_info import TensorInfo


def recorded_calibration(manifest: Manifest, named: Path | None = None) -> Dataset | None:
    """The data that a bundle was calibrated with, if they still are where they were.

    A recipe is a program: it is run only where the user names the same file. A bundle from
    elsewhere must not choose what runs here.

    Args:
        named: The data that the user gave to this command, if those are a file.
    """
    known = manifest.calibration
    if known is None or not known.source:
        return None
    path = Path(known.source)
    if path.suffix == ".py" and (named is None or path.resolve() != named.resolve()):
        return None
    if not path.is_file():
        return None
    try:
        data = load(path, manifest.artifacts[0].data_inputs, split="calibration")
    except EdgennError:  # it is another file by now
        return None
    return data if data.sha256 == known.sha256 else None


def unscaled(manifest: Manifest, data: Dataset) -> list[str]:
    """A warning for each input whose data are on another scale than the calibration data.

    The ranges are those that the manifest keeps of the calibration data, else those that the
    integers of an int8 input can stand for; a bundle that has neither says nothing.
    """
    ranges = calibrated_inputs(manifest)
    samples = len(data)
    if manifest.calibration is not None:
        samples = min(samples, manifest.calibration.samples)
    words = [
        scale_words(name, range_, range_of(data, name), samples)
        for name, range_ in ranges.items()
        if name in data.inputs
    ]
    return [f"{text} ({REMEDY})" for text in words if text]


def calibrated_inputs(manifest: Manifest) -> dict[str, Range]:
    """Public name of an input of real numbers → what the calibration data held."""
    if manifest.calibration is not None and manifest.calibration.ranges:
        return {name: Range(*ends) for name, ends in manifest.calibration.ranges.items()}
    return {
        info.name: stored_range(info)
        for artifact in reversed(manifest.artifacts)
        for info in quantized_inputs(artifact)
    }


def quantized_inputs(artifact: Artifact) -> list[TensorInfo]:
    """Those of 8 bits: 16-bit ranges are symmetric, and say less of the data."""
    names = artifact.data_inputs
    return [
        info
        for info in artifact.inputs
        if info.scale is not None and info.dtype in ("int8", "uint8") and info.name in names
    ]


def stored_range(info: TensorInfo) -> Range:
    """The real numbers that the integers of a tensor stand for."""
    assert info.scale is not None
    low, high = (info.scale * (end - info.zero_point) for end in INTEGER_RANGES[info.dtype])
    return Range(low, high)


def range_of(data: Dataset, name: str) -> Range:
    parts = [Range.of(chunk) for chunk in chunks(data.inputs[name])]
    total = parts[0]
    for part in parts[1:]:
        total = total.union(part)
    return total
