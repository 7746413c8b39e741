"""Mistakes in .toml files are said with their line."""

import pytest
from pydantic import BaseModel, ConfigDict

from edgenn.errors import UsageError
from edgenn.toml_files import line_of, read_toml, validated


class Colour(BaseModel):
    model_config = ConfigDict(extra="forbid")

    red: int


TEXT = "[paint.wall]\n# comment\nred = 1\ngren = 2\n"


def test_line_of_dotted_and_repeated_tables():
    text = "a.b = 1\n[[ops.rules]]\nop = 1\n[ops.more]\nx = 2\n"
    assert line_of(text, ("a", "b")) == 1
    assert line_of(text, ("ops", "more", "x")) == 5
    assert line_of(text, ("ops", "rules", 0, "op")) == 3
    assert line_of(text, ("ops", "more")) == 4
    assert line_of(text, ("ops",)) == 2
    assert line_of(text, ("elsewhere",)) == 1


def test_a_table_within_a_file(tmp_path):
    path = tmp_path / "paint.toml"
    path.write_text(TEXT)
    text, data = read_toml(path, "palette")
    assert validated(Colour, {"red": 3}, text, path).red == 3
    with pytest.raises(UsageError) as error:
        validated(Colour, data["paint"]["wall"], text, path, ("paint", "wall"))
    assert "paint.toml, line 4: unknown key 'paint.wall.gren'" in str(error.value)
    assert "allowed are red" in str(error.value)


def test_what_cannot_be_read(tmp_path):
    with pytest.raises(UsageError, match=r"the palette .*none.toml cannot be read: No such file"):
        read_toml(tmp_path / "none.toml", "palette")
