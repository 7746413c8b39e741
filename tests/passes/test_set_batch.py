import numpy as np
import pytest
from support.rewriting import assert_well_formed, random_inputs, results

from edgenn.errors import UsageError
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.ops import Add, Conv2D, ExpandDims, Mean, Reshape
from edgenn.passes import with_batch


def model():
    builder = GraphBuilder("m")
    x = builder.input("x", (None, 6, 6, 2))
    row = builder.input("row", (None, 3))
    kernel = builder.constant("k", np.ones((3, 3, 3, 2), np.float32))
    mean = builder.add(Mean((1, 2)), [builder.add(Conv2D(), [x, kernel], "conv")], "mean")
    y = builder.add(Reshape((-1, 1, 3)), [builder.add(Add(), [mean, row], "sum")], "y")
    return builder.finish({"y": builder.add(ExpandDims(1), [y], "expanded")})


def test_every_shape_follows():
    after = with_batch(model(), 4)
    assert_well_formed(after)
    assert [t.shape for t in after.input_tensors()] == [(4, 6, 6, 2), (4, 3)]
    assert [t.shape for t in after.output_tensors()] == [(4, 1, 1, 3)]
    assert not any(None in tensor.shape for tensor in after.tensors.values())


def test_the_results_stay():
    inputs = random_inputs(model(), batch=4)
    before, after = results(model(), inputs), results(with_batch(model(), 4), inputs)
    np.testing.assert_array_equal(after["y"], before["y"])


def test_a_fixed_batch_may_be_confirmed_and_not_changed():
    fixed = with_batch(model(), 4)
    again = with_batch(fixed, 4)
    assert {n: t.shape for n, t in again.tensors.items()} == {
        n: t.shape for n, t in fixed.tensors.items()
    }
    with pytest.raises(UsageError, match="fixed shape"):
        with_batch(fixed, 5)


def test_nonsense_is_refused():
    with pytest.raises(UsageError, match="not a positive"):
        with_batch(model(), 0)
