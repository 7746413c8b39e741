import pytest

from edgenn.errors import UsageError
from edgenn.targets import find_target
from edgenn.targets.catalog import shipped
from edgenn.targets.rules import rules_of

HEAD = (
    'title = "M"\nkind = "npu"\nrunner = "litert"\n'
    '[artifact]\nformat = "tflite"\nschemes = ["int8"]\n'
)
LIMIT = '[[ops.limits]]\nof = ["ADD"]\nneeds = { rank = 4 }\nreason = "mine"\n'


def written(folder, name, ops):
    path = folder / f"{name}.toml"
    path.write_text(HEAD + ops)
    return path


def test_own_limits_come_behind_those_of_the_other(tmp_path):
    base = rules_of(find_target("tflite-micro"))
    mine = rules_of(find_target(written(tmp_path, "m", f'[ops]\nlike = "tflite-micro"\n{LIMIT}')))
    assert (mine.kinds, mine.elsewhere) == (base.kinds, "refused")
    assert mine.limits[:-1] == base.limits
    assert mine.limits[-1].reason == "mine"


def test_what_is_said_again_counts(tmp_path):
    path = written(
        tmp_path, "m", '[ops]\nlike = "tflite-micro"\nelsewhere = "cpu"\nabsent = "no"\n'
    )
    mine = rules_of(find_target(path))
    assert (mine.elsewhere, mine.absent) == ("cpu", "no")


def test_no_rules(tmp_path):
    assert rules_of(find_target("cpu-xnnpack")) is None
    with pytest.raises(UsageError, match="cpu-xnnpack, which its ops are like, has no rules"):
        rules_of(find_target(written(tmp_path, "m", '[ops]\nlike = "cpu-xnnpack"\n')))


def test_circles(tmp_path):
    first = written(tmp_path, "a", f'[ops]\nlike = "{tmp_path}/b.toml"\n')
    written(tmp_path, "b", f'[ops]\nlike = "{tmp_path}/a.toml"\n')
    with pytest.raises(UsageError, match="circle"):
        rules_of(find_target(first))


def test_mistakes_say_where(tmp_path):
    path = written(tmp_path, "m", "[ops]\n" + LIMIT.replace("rank", "rang"))
    with pytest.raises(UsageError, match=r"m\.toml, line \d+: .*no quantity 'rang'.*rank"):
        find_target(path)
    path = written(tmp_path, "n", '[ops]\nlike = "tflite-micro"\nkind = []\n')
    with pytest.raises(UsageError, match=r"n\.toml, line 9: unknown key 'ops\.kind'"):
        find_target(path)


@pytest.mark.parametrize("profile", shipped(), ids=lambda profile: profile.name)
def test_limits_are_for_ops_that_the_target_has(profile):
    rules = rules_of(profile)
    if rules is None or rules.kinds is None:
        return
    for limit in (*rules.limits, *rules.pitfalls):
        assert (limit.of or frozenset()) <= rules.kinds, limit.reason
        assert limit.but <= rules.kinds, limit.reason


@pytest.mark.parametrize(
    "name", [profile.name for profile in shipped() if profile.kind in ("npu", "microcontroller")]
)
def test_devices_that_lack_ops_have_rules(name):
    rules = rules_of(find_target(name))
    assert rules.kinds or rules.lacks
