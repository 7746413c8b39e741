"""Names without what quantisation adds, and the layers they belong to."""

import pytest

from edgenn.drift.explain.names import layer_of, plain, without_copies
from edgenn.ir.graph import Graph
from edgenn.ir.layers import LAYERS
from edgenn.ir.tensor import Tensor


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


def graph(*names, layers=()):
    tensors = {name: Tensor(name, (None, 2)) for name in names}
    return Graph("net", tensors, (), {}, {}, {LAYERS: layers} if layers else {})


def test_the_innermost_known_layer_is_meant():
    known = graph("a/b/mean", layers=("a", "a/b", "gru"))
    assert layer_of("a/b/mean", known) == "a/b"
    assert layer_of("gru/float/cell/hidden", known) == "gru"
    assert layer_of("gru@2/sequence", known) == "gru@2"


def test_where_layers_are_not_known_the_outermost_tensor_names_them():
    unknown = graph("gru", "gru/sequence", "digit", "block/conv")
    assert layer_of("gru/sequence/projected", unknown) == "gru"
    assert layer_of("digit/fully_connected/float", unknown) == "digit"
    assert layer_of("block/conv", unknown) == "block/conv"
