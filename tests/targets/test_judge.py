import pytest

from edgenn.targets.profile import Judge

JUDGE = Judge(
    peer="cpu-reference",
    tolerances={"int8": 0.0, "float32": 1e-5},
    recurrent_tolerances={"int8": 0.02},
    own_forms=("fused",),
)


@pytest.mark.parametrize(
    ("scheme", "form", "tolerance"),
    [
        ("int8", None, 0.0),
        ("int8", "unrolled", 0.02),
        ("int8", "fused", None),
        ("float32", "loop", 1e-5),
        ("float32", "fused", None),
        ("int16x8", None, None),
        ("int16x8", "loop", None),
    ],
)
def test_how_far_a_file_may_be_from_the_peer(scheme, form, tolerance):
    assert JUDGE.tolerance(scheme, form) == tolerance
