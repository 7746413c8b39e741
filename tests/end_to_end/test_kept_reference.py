"""A bundle that keeps Keras's predictions is checked where there is no Keras."""

import json
import subprocess
import sys

import numpy as np
import pytest
from support.command_line import edgenn_here, refused, succeeded, user_environment

from edgenn.api import check

WITHOUT_KERAS = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"keras", "tensorflow", "tf_keras", "h5py", "onnx"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
from edgenn.cli.main import main
main(sys.argv[1:])
"""


def without_keras(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_KERAS, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=user_environment(),
    )


def test_check_without_keras(small_bundle, images, tmp_path):
    np.save(tmp_path / "x.npy", images)
    arguments = ("check", small_bundle.path, "--data", "x.npy", "--json", "r.json")
    succeeded(without_keras(*arguments, cwd=tmp_path))
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["reference"] == "stored"
    assert all(rung["metrics"]["class"]["max_abs"] < 0.05 for rung in report["rungs"])
    targets = [(rung["scheme"], rung["target"]) for rung in report["rungs"]]
    assert targets.count(("int8", "graph")) == 1 and len(targets) == 7


def test_what_is_missing_for_other_data(small_bundle, images, tmp_path):
    np.save(tmp_path / "x.npy", images[:5])
    result = without_keras("check", small_bundle.path, "--data", "x.npy", cwd=tmp_path)
    refused(result, 4, "edgenn[convert]")


def test_the_stored_predictions_are_those_of_keras(small_bundle, small_model, images, tmp_path):
    stored = check(small_bundle.path, images)
    computed = check(small_bundle.path, images[:39], model=small_model)
    assert (stored.reference, computed.reference) == ("stored", "computed")
    assert computed.rungs[0].label == "float graph", "the model is at hand, and is a rung itself"
    for kept, fresh in zip(stored.rungs, computed.rungs[1:], strict=True):
        assert kept.label == fresh.label
        assert kept.metrics is not None and fresh.metrics is not None
        assert kept.metrics["class"]["rmse"] == pytest.approx(
            fresh.metrics["class"]["rmse"], rel=0.2, abs=1e-7
        )


def test_a_model_that_has_changed_since(small_bundle, small_model, images, tmp_path, capfd):
    """Labels, names and dtypes of the file do not matter; the model's file does."""
    copy = tmp_path / "small.keras"
    copy.write_bytes(small_model.read_bytes())
    np.save(tmp_path / "x.npy", images)
    succeeded(edgenn_here(capfd, "convert", copy, "-o", tmp_path / "out"))
    check_it = ("check", tmp_path / "out", "--data", tmp_path / "x.npy")
    succeeded(edgenn_here(capfd, *check_it))
    copy.write_bytes(copy.read_bytes() + b" ")
    refused(edgenn_here(capfd, *check_it), 2, "has changed since", "--model")
    succeeded(edgenn_here(capfd, *check_it, "--model", small_model))
    copy.unlink()
    refused(edgenn_here(capfd, *check_it), 2, "holds no Keras predictions", "--model")
