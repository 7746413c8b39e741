"""Numbers that cross into an input of integers: whole ones in its range, whatever their dtype."""

import numpy as np
import pytest

from edgenn.errors import DataError
from edgenn.runtime.border import input_border
from edgenn.runtime.tensor_info import TensorInfo

INDICES = input_border(TensorInfo("indices", (None, 3), "int32"))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8])
def test_whole_numbers_become_integers(dtype):
    taken = INDICES(np.array([[0, 7, 250]], dtype))
    assert taken.dtype == np.int32
    assert taken.tolist() == [[0, 7, 250]]


@pytest.mark.parametrize("bad", [0.5, np.nan, np.inf, -np.inf, 2.0**31])
def test_other_numbers_are_refused(bad):
    with pytest.raises(DataError, match="'indices' must be int32"):
        INDICES(np.array([[0, 1, bad]]))
