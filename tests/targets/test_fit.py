from dataclasses import replace

import pytest
from support.targets import fake_profile

from edgenn.manifest import Artifact, Recurrent
from edgenn.runtime import TensorInfo
from edgenn.targets.fit import misfit, written_for


def artifact(*, format_="tflite", scheme="int8", batch=1, form=None):
    info = TensorInfo("x", (batch, 4), "float32")
    recurrent = None if form is None else Recurrent(form, "float32")
    return Artifact(f"n.{format_}", format_, scheme, "", 1, (info,), (info,), recurrent=recurrent)


STRICT = fake_profile(artifact={"batch": 1, "recurrent": ["fused", "unrolled"]})


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, None),
        ({"form": "fused"}, None),
        ({"form": "unrolled"}, None),
        ({"form": "step"}, None),
        ({"scheme": ""}, None),
        ({"form": "loop"}, "its recurrent layers are loop, not fused or unrolled"),
        ({"batch": None}, "its batch is open, not 1"),
        ({"batch": 8}, "its batch is 8, not 1"),
        ({"scheme": "int16x8"}, "it is int16x8, not float32 or int8"),
        ({"format_": "onnx"}, "it is no .tflite file"),
    ],
)
def test_a_strict_target(options, reason):
    assert misfit(STRICT, artifact(**options)) == reason


def test_a_lenient_target_takes_any_batch_and_form():
    profile = fake_profile()
    for batch in (None, 1, 8):
        for form in (None, "loop", "fused"):
            assert misfit(profile, artifact(batch=batch, form=form)) is None


@pytest.mark.parametrize(
    ("gates", "scheme", "reason"),
    [
        ("float32", "int8", None),
        ("int16", "int8", "its gates are int16, not float32"),
        ("int16", "", None),
        ("float32", "float32", None),
    ],
)
def test_a_target_without_integers_of_16_bits(gates, scheme, reason):
    profile = fake_profile(artifact={"gates": "float32"})
    made = replace(artifact(scheme=scheme), recurrent=Recurrent("unrolled", gates))
    assert misfit(profile, made) == reason


def test_what_to_convert_instead_names_the_target_as_it_can_be_given():
    assert "--target tflite-micro writes" in written_for("tflite-micro")
    assert "--target my-board.toml writes" in written_for("my-board")
