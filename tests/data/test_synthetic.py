"""Random samples that every artifact takes."""

import numpy as np

from edgenn.data.synthetic import random_samples
from edgenn.runtime.tensor_info import TensorInfo

INPUTS = [
    TensorInfo("image", (None, 3, 4), "float32"),
    TensorInfo("quantized", (2, 5), "int8", 0.1, 3),
    TensorInfo("words", (1, None), "int32"),
    TensorInfo("mask", (None, None), "bool"),
]


def test_shapes_and_ranges():
    samples = random_samples(INPUTS, 6, steps=7)
    assert {name: array.shape for name, array in samples.items()} == {
        "image": (6, 3, 4),
        "quantized": (6, 5),
        "words": (6, 7),
        "mask": (6, 7),
    }
    for name in ("image", "quantized"):
        assert samples[name].dtype == np.float32
        assert 0 <= samples[name].min() < 0.5 < samples[name].max() < 1
    assert samples["words"].dtype == np.int32
    assert set(np.unique(samples["words"])) == {0, 1}
    assert samples["mask"].dtype == bool and samples["mask"].all()


def test_they_are_the_same_each_time():
    first, second = random_samples(INPUTS, 4), random_samples(INPUTS, 4)
    assert all(np.array_equal(first[name], second[name]) for name in first)
    other = random_samples(INPUTS, 4, seed=1)
    assert not np.array_equal(first["image"], other["image"])
