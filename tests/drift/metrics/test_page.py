from pathlib import Path

import generate_metrics
import numpy as np
import pytest
from support.markdown import blocks

from edgenn.drift.metrics import METRICS, Tally

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"


def test_page_is_current():
    text = PAGE.read_text(encoding="utf-8")
    assert text == generate_metrics.page(), "run `python tools/generate_metrics.py`"
    assert all(f"`{name}`" in text for name in METRICS)


def test_a_metric_can_be_added_as_the_page_says(monkeypatch):
    names = {}
    exec("\n".join(blocks(PAGE, "python")), names)
    monkeypatch.setitem(METRICS, "bias", names["BIAS"])
    tally = Tally()
    for _ in range(3):
        tally.update(np.zeros((5, 2, 2)), np.full((5, 2, 2), 0.25))
    assert tally.values()["bias"] == pytest.approx(0.25)
