"""Profiles: what is wrong in one is said with its line and what may stand there."""

import pytest

from edgenn.errors import UsageError
from edgenn.targets.reading import read_profile

GOOD = """\
title = "A board"
kind = "npu"
runner = "litert"

[artifact]
format = "tflite"
schemes = ["int8"]
batch = 1

[judge]
tolerances = { int8 = 0.0 }
"""


def read(tmp_path, text):
    path = tmp_path / "my-board.toml"
    path.write_text(text)
    return read_profile(path)


def test_a_good_one(tmp_path):
    profile = read(tmp_path, GOOD)
    assert profile.name == "my-board"
    assert profile.artifact.schemes == ("int8",)
    assert profile.judge.tolerances == {"int8": 0.0}
    assert profile.runners == ("litert",)
    assert read(tmp_path, GOOD.replace("[art", 'estimator = "vela"\n[art')).runners == (
        "litert",
        "vela",
    )


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("batch = 1", "batsh = 1", 8, ["unknown key 'artifact.batsh'", "allowed are format, sch"]),
        ("title =", "titel =", 1, ["unknown key 'titel'", "allowed are title, ", "1 more mistake"]),
        ("schemes =", "scheme =", 7, ["unknown key 'artifact.scheme'", "allowed are format, sch"]),
        ('title = "A board"\n', "", 1, ["'title' is missing"]),
        ('title = "A board"', 'title = "A"\ncolour = 3', 2, ["unknown key 'colour'", "runner"]),
        ('"npu"', '"tpu"', 2, ["'kind' is 'tpu'", "'npu'", "'fpga'"]),
        ('["int8"]', '["int7"]', 7, ["'artifact.schemes.0' is 'int7'", "'int16x8'"]),
        ('["int8"]', "[]", 7, ["artifact.schemes", "at least 1"]),
        ("batch = 1", "batch = 0", 8, ["'artifact.batch' is 0", "greater than 0"]),
        ("int8 = 0.0", "int8 = -1.0", 11, ["judge.tolerances.int8", "greater than or equal to 0"]),
        ("int8 = 0.0", "int9 = 0.0", 11, ["'judge.tolerances.int9' is 'int9'", "'int16x8'"]),
        ("[judge]\n", "[judge]\nfriend = 1\n", 11, ["'judge.friend'", "peer, tolerances, "]),
        ("[judge]", "[jury]", 10, ["unknown key 'jury'", "judge"]),
    ],
)
def test_mistakes(tmp_path, old, new, line, words):
    assert old in GOOD
    with pytest.raises(UsageError) as error:
        read(tmp_path, GOOD.replace(old, new))
    assert f"my-board.toml, line {line}: " in str(error.value)
    for word in words:
        assert word in str(error.value)


def test_several_mistakes_are_counted(tmp_path):
    with pytest.raises(UsageError, match=r"1 more mistake$"):
        read(tmp_path, GOOD.replace("npu", "x").replace("tflite", "y"))
    with pytest.raises(UsageError, match=r"3 more mistakes$"):
        read(tmp_path, "")


def test_what_follows_from_a_mistake_is_none(tmp_path):
    with pytest.raises(UsageError) as error:
        read(tmp_path, GOOD.replace('["int8"]', '["int7"]'))
    assert "more mistake" not in str(error.value)


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    path = tmp_path / "notepad.toml"
    path.write_text(GOOD, encoding="utf-8-sig")
    assert read_profile(path).title == "A board"


def test_no_toml(tmp_path):
    with pytest.raises(UsageError, match=r"is no TOML: .*"):
        read(tmp_path, "title = ")


def test_no_file(tmp_path):
    with pytest.raises(UsageError, match=r"cannot be read: No such file or directory$"):
        read_profile(tmp_path / "none.toml")
    with pytest.raises(UsageError, match="cannot be read"):
        read_profile(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="cannot be read: it is no UTF-8 text"):
        read_profile(tmp_path / "binary.toml")
