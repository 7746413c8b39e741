"""Which files run on a target."""

from dataclasses import replace

from support.bundles import INPUT, OUTPUT
from support.targets import fake_profile

from edgenn.manifest import Artifact
from edgenn.targets.choice import files_for, why_none

FLOAT = Artifact("a.float32.tflite", "tflite", "float32", "", 1, (INPUT,), (OUTPUT,))
INT8 = replace(FLOAT, file="a.int8.tflite", scheme="int8")
ONNX = replace(FLOAT, file="a.float32.onnx", format="onnx")
FILES = (FLOAT, INT8, ONNX)


def test_all_that_it_takes():
    assert files_for(fake_profile(), FILES) == (FLOAT, INT8)


def test_what_was_written_for_it_comes_before_what_it_takes():
    own = replace(INT8, file="own.tflite", targets=("fake",))
    assert files_for(fake_profile(), (*FILES, own)) == (own,)
    assert files_for(fake_profile("other"), (*FILES, own)) == (FLOAT, INT8, own)


def test_why_it_takes_none():
    profile = fake_profile(schemes=("int8",))
    assert files_for(profile, (FLOAT, ONNX)) == ()
    said = why_none(profile, (FLOAT, ONNX))
    assert (
        said == "a.float32.tflite: it is float32, not int8; a.float32.onnx: it is no .tflite file"
    )
