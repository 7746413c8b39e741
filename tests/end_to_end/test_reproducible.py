"""The same input gives the same bytes: in another process, with another hash seed, elsewhere."""

import json
import shutil

import pytest
from support.command_line import edgenn, succeeded
from support.digits import ARTIFACTS, MODEL, RECIPE, SCHEMES, convert_digits


def test_two_processes_write_the_same_bytes(digits, tmp_path):
    again = convert_digits(tmp_path)
    for name in ARTIFACTS | {"reference.npz"}:
        assert (again.bundle / name).read_bytes() == (digits.bundle / name).read_bytes(), name
    first, second = digits.manifest, again.manifest
    assert first.pop("timings_s") and second.pop("timings_s")
    assert first == second


@pytest.mark.slow
def test_names_places_and_hash_seeds_do_not_matter(digits, tmp_path):
    copy = shutil.copy(MODEL, tmp_path / "digits_cnn.keras")
    quantize = [word for scheme in reversed(SCHEMES) for word in ("--quantize", scheme)]
    arguments = ("convert", copy, "-o", "out", "--calibration", RECIPE, *quantize)
    succeeded(edgenn(*arguments, cwd=tmp_path, PYTHONHASHSEED="3", OMP_NUM_THREADS="1"))
    for name in ARTIFACTS:
        assert (tmp_path / "out" / name).read_bytes() == (digits.bundle / name).read_bytes(), name
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["calibration"] == digits.manifest["calibration"]
