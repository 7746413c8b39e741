"""What the audit says of data that are in use: no false alarm, and every fault found."""

import numpy as np
import pytest
from support.digits import MODEL, RECIPE, ROOT
from support.real_models import SPEECH, array, real

from edgenn import api, compiler
from edgenn.audit import audit
from edgenn.data import load
from edgenn.frontend.loading import load_model
from edgenn.ir.flat_loops import open_loops
from edgenn.lowering.recurrent.loop import to_loops

NOISE = np.random.default_rng(0).uniform(0, 16, (200, 8, 8, 1)).astype(np.float32)


def test_the_digits_are_good_enough(digits_audit):
    assert digits_audit.warnings == ()
    assert (digits_audit.samples, digits_audit.evaluation_samples) == (200, 397)
    assert digits_audit.calibration == f"{RECIPE} (calibration)"
    assert max(entry.disagreement for entry in digits_audit.tensors) < 0.2


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (lambda own, other: (own, other / 255), "scaling"),
        (lambda own, other: (own * 0, other), "constant"),
        (lambda own, other: (own[:20], other), "few"),
        (lambda own, other: (np.repeat(own[:100], 2, axis=0), other), "duplicates"),
        (lambda own, other: (own, np.concatenate([other, own[:20]])), "shared"),
        (lambda own, other: (own * 0.6, other), "ranges"),
        (lambda own, other: (NOISE, other), "ranges"),
    ],
)
def test_spoilt_digits(digits, digits_data, run, spoil, kind):
    calibration, evaluation = spoil(digits_data["calibration"], digits_data["test"])
    report = run(digits, calibration, evaluation)
    assert kind in {finding.kind for finding in report.warnings}


def test_any_200_digits_are_good_enough(digits, digits_data, run):
    everything = np.concatenate(list(digits_data.values()))
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(everything))
        report = run(digits, everything[order[:200]], everything[order[200:600]])
        assert report.warnings == ()


def test_windows_of_traffic():
    """12 steps each; the data of a whole year are much like the 500 windows."""
    file = "traffic-lstm/windows_12.npz"
    report = api.audit(
        real("traffic-lstm/lstm.h5"), array(file, "x_calibration"), data=array(file, "x")
    )
    assert {f.kind for f in report.warnings} <= {"few"}
    assert max(entry.samples_outside for entry in report.tensors) < 0.01


def test_forty_spoken_words_are_few():
    report = api.audit(
        real("mlperf-tiny-kws/kws_ref_model"),
        array(SPEECH, "x", "calibration"),
        data=array(SPEECH, "x", "evaluation"),
    )
    assert [f.kind for f in report.warnings] == ["few"]


def test_in_the_names_of_keras(digits_audit):
    import keras

    layers = {layer.name for layer in keras.models.load_model(MODEL).layers}
    named = {entry.tensor.partition("/")[0] for entry in digits_audit.tensors}
    assert named <= layers


def test_inside_of_loops():
    """A graph with its loops laid flat shows the gates."""
    graph = compiler.graph_of(load_model(ROOT / "models" / "pretrained" / "digits_gru.keras").model)
    own, other = (
        load(ROOT / "models" / "digits_gru.py", list(graph.inputs), split=split)
        for split in ("calibration", "test")
    )
    flat = open_loops(to_loops(graph))
    report = audit(flat, own, other, write=compiler.to_tflite_bytes)
    assert report.warnings == ()
    assert {"gru/sequence/cell/update_sum", "digit/fully_connected"} <= {
        entry.tensor for entry in report.tensors
    }
