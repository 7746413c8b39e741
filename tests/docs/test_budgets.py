"""docs/budgets.md: its budgets are read, and what it prints is what there is."""

from pathlib import Path

import pytest
from support.markdown import blocks

from edgenn.drift.budget import DEFAULT_FILE, read_budget
from edgenn.errors import UsageError

PAGE = Path(__file__).parents[2] / "docs" / "budgets.md"


def test_the_default_is_the_shipped_file():
    assert blocks(PAGE, "toml")[-1] == DEFAULT_FILE.read_text(encoding="utf-8")


def test_the_example_is_a_budget(tmp_path):
    path = tmp_path / "budget.toml"
    path.write_text(blocks(PAGE, "toml")[0])
    lines = read_budget(path).lines_for("cpu-xnnpack", "int8", "baseline")
    assert lines["rmse"].limit.of_baseline == 1.1


def test_the_mistake_is_told_like_this(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("budget.toml").write_text("[default]\ncosin = { min = 0.9 }\n")
    with pytest.raises(UsageError) as error:
        read_budget("budget.toml")
    assert f"Error: {error.value}\n" in blocks(PAGE, "text")
