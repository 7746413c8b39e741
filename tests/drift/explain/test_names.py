"""Names without what quantisation adds, and the layers they belong to."""

import pytest

from edgenn.drift.explain.names import layer_of, plain, without_copies


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("stem_relu", "stem_relu"),
        ("gru/float", "gru"),
        ("gru/sequence/float/cell/update_gate/y", "gru/sequence/cell/update_gate/y"),
        ("rows/float32", "rows"),
        ("x/dequantized_1", "x"),
        ("digit/bias/corrected", "digit/bias"),
        ("float", "float"),
    ],
)
def test_plain(name, expected):
    assert plain(name) == expected


def test_copies_of_a_cell_have_one_name():
    assert without_copies("gru/sequence/float/cell/step_3/hidden") == "gru/sequence/cell/hidden"


def test_the_outermost_tensor_names_the_layer():
    known = {"gru", "gru/sequence", "digit", "block/conv"}
    assert layer_of("gru/sequence/projected", known) == "gru"
    assert layer_of("digit/fully_connected/float", known) == "digit"
    assert layer_of("block/conv", known) == "block/conv"
