"""docs/op-rules.md says what there is, and its example is one."""

import re
import tomllib

import generate_op_rules

from edgenn.targets.op_rules import Limit, OpRules

TEXT = generate_op_rules.PAGE.read_text(encoding="utf-8")


def test_the_table_is_of_today():
    assert generate_op_rules.page(TEXT) == TEXT, "run python tools/generate_op_rules.py"


def test_every_key_is_told():
    told = set(re.findall(r"`(\w+)`", TEXT))
    assert told >= OpRules.model_fields.keys() | Limit.model_fields.keys()


def test_the_example():
    (example,) = re.findall(r"```toml\n(.*?)```", TEXT, re.S)
    rules = OpRules.model_validate(tomllib.loads(example)["ops"])
    assert [limit.reason[:6] for limit in rules.limits] == ["Kernel", "Stride"]
