"""What a manifest says of the calibration data, and what may be made of it."""

from dataclasses import replace

import numpy as np
import pytest
from support.digits import MODEL, RECIPE

from edgenn import convert
from edgenn.audit import recorded_calibration, unscaled
from edgenn.bundle import Bundle
from edgenn.data import Dataset
from edgenn.manifest import Manifest


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return convert(
        MODEL, tmp_path_factory.mktemp("digits") / "b", quantize=["int8"], calibration=RECIPE
    )


def images(scale=1.0, low=0.0):
    values = np.random.default_rng(0).uniform(low, 16, (40, 8, 8, 1))
    return Dataset({"image": values * scale})


def without_ranges(manifest):
    return replace(manifest, calibration=replace(manifest.calibration, ranges={}, source=""))


def test_the_manifest_keeps_source_and_ranges(bundle):
    calibration = Bundle.load(bundle.path).manifest.calibration
    assert (calibration.source, calibration.samples) == (str(RECIPE), 200)
    assert calibration.ranges == {"image": (0.0, 16.0)}


@pytest.mark.parametrize("known", [lambda manifest: manifest, without_ranges])
def test_scales(bundle, known):
    manifest = known(bundle.manifest)
    assert unscaled(manifest, images()) == []
    (words,) = unscaled(manifest, images(1 / 16))
    assert "'image'" in words and "16 times less far" in words and "scale both" in words
    (words,) = unscaled(manifest, images(16))
    assert "times farther" in words
    (words,) = unscaled(manifest, images(low=-16))
    assert "below 0" in words


def test_float_bundles_say_nothing(tmp_path):
    manifest = convert(MODEL, tmp_path / "b").manifest
    assert manifest.calibration is None and unscaled(manifest, images(255)) == []


def test_a_manifest_from_before(bundle):
    text = without_ranges(bundle.manifest).to_json()
    text = text.replace(',\n    "source": "",\n    "ranges": {}', "")
    assert '"ranges"' not in text
    assert Manifest.from_json(text, "here") == without_ranges(bundle.manifest)


def test_a_recipe_runs_only_where_the_user_names_it(bundle, tmp_path):
    assert recorded_calibration(bundle.manifest) is None
    other = tmp_path / "digits_cnn.py"
    other.write_text(RECIPE.read_text())
    assert recorded_calibration(bundle.manifest, other) is None
    data = recorded_calibration(bundle.manifest, RECIPE)
    assert data is not None and len(data) == 200


def test_a_file_that_is_still_the_same(tmp_path):
    samples = np.random.default_rng(0).uniform(0, 16, (40, 8, 8, 1)).astype(np.float32)
    np.save(tmp_path / "x.npy", samples)
    manifest = convert(
        MODEL, tmp_path / "b", quantize=["int8"], calibration=tmp_path / "x.npy"
    ).manifest
    data = recorded_calibration(manifest)
    np.testing.assert_array_equal(data.inputs["image"], samples)
    np.save(tmp_path / "x.npy", samples + 1)
    assert recorded_calibration(manifest) is None
    (tmp_path / "x.npy").write_bytes(b"no array any more")
    assert recorded_calibration(manifest) is None
    (tmp_path / "x.npy").unlink()
    assert recorded_calibration(manifest) is None


def test_arrays_have_no_source(tmp_path):
    manifest = convert(
        MODEL, tmp_path / "b", quantize=["int8"], calibration=images().inputs["image"]
    ).manifest
    assert manifest.calibration.source == "" and recorded_calibration(manifest) is None
