"""Files of a conversion: which are one, and who is told of a refusal."""

import pytest
from support.artifacts import conv_graph
from support.digits import MODEL, RECIPE
from support.targets import fake_profile

from edgenn import convert
from edgenn.bundle import Bundle
from edgenn.compiler import QuantizationOptions
from edgenn.errors import UnsupportedError
from edgenn.plan import builds, builds_for_targets
from edgenn.progress import silent
from edgenn.quantization.schemes import Scheme
from edgenn.stopwatch import Stopwatch
from edgenn.writing import refusals_of, written_files

ONE = fake_profile("one", artifact={"batch": 1})
MICRO = fake_profile("micro", artifact={"batch": 1, "dialect": "micro"})


def files(planned):
    graph = conv_graph()
    written = written_files(graph, planned, {}, QuantizationOptions(), None, Stopwatch(), silent)
    return {file.build.file("n"): file.build.targets for file in written}


@pytest.mark.parametrize("profiles", [(ONE, MICRO), (MICRO, ONE)])
def test_files_of_the_same_bytes_are_one(profiles):
    planned = builds_for_targets(conv_graph(), profiles, [Scheme.FLOAT32], "auto", "auto")
    assert {build.file("n") for build in planned} == {
        "n.float32.batch1.tflite",
        "n.float32.micro.batch1.tflite",
    }
    names = tuple(profile.name for profile in profiles)
    assert files(planned) == {"n.float32.batch1.tflite": names}


def test_every_scheme_that_was_asked_for_has_its_file():
    planned = builds(
        conv_graph(), [Scheme.FLOAT32, Scheme.FLOAT16], ["tflite", "onnx"], "auto", "auto"
    )
    assert len(files(planned)) == 4


def test_a_refusal_names_the_targets():
    (build,) = builds_for_targets(conv_graph(), [ONE], [Scheme.FLOAT32], "auto", "auto")
    with pytest.raises(UnsupportedError, match=r"^one: no such op .hint.$"), refusals_of(build):
        raise UnsupportedError("no such op", "hint")
    (build,) = builds(conv_graph(), [Scheme.FLOAT32], ["tflite"], "auto", "auto")
    with pytest.raises(UnsupportedError, match=r"^no such op"), refusals_of(build):
        raise UnsupportedError("no such op")


def test_channel_factors_are_kept_beside_integer_files(tmp_path):
    written = convert(MODEL, tmp_path / "a", quantize=["int8"], calibration=RECIPE)
    factors = Bundle.load(written.path).channel_factors()
    assert factors and all((array > 0).all() and array.ndim == 1 for array in factors.values())
    plain = convert(
        MODEL, tmp_path / "b", quantize=["int8"], calibration=RECIPE, equalization=False
    )
    assert plain.channel_factors() == {} and not (plain.path / "channel_factors.npz").exists()
