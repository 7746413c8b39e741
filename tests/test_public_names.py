import pytest

import edgenn
from edgenn import api, runtime


def test_public_names():
    assert edgenn.__all__ == ["Session", "bench", "check", "convert", "inspect"]
    assert dir(edgenn) == edgenn.__all__
    assert edgenn.Session is runtime.Session
    for name in ("bench", "check", "convert", "inspect"):
        assert getattr(edgenn, name) is getattr(api, name)
    with pytest.raises(AttributeError, match="no attribute 'train'"):
        edgenn.train  # noqa: B018
