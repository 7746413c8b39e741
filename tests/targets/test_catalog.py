import pytest

from edgenn.errors import UsageError
from edgenn.options import DEFAULT_TARGETS
from edgenn.runners import runner_names
from edgenn.targets import find_target, profile_of, profiles_of, target_names
from edgenn.targets.catalog import shipped


@pytest.mark.parametrize("profile", shipped(), ids=lambda profile: profile.name)
def test_every_profile_is_complete(profile):
    assert profile.title and profile.description
    assert len(profile.title) <= 60
    assert set(profile.runners) <= set(runner_names())
    if profile.judge.peer is not None:
        assert profile.judge.peer in target_names()
        assert profile.judge.tolerances
    assert set(profile.judge.tolerances) <= set(profile.artifact.schemes)


def test_those_that_are_always_there():
    assert set(DEFAULT_TARGETS) <= set(target_names())
    assert not any(find_target(name).optional for name in DEFAULT_TARGETS)


def test_optional_ones_come_last():
    optional = [profile.optional for profile in shipped()]
    assert optional == sorted(optional)


def test_unknown_names_get_the_nearest():
    with pytest.raises(UsageError, match=r"no target 'cpu-xnpack' \(most like it: cpu-xnnpack"):
        find_target("cpu-xnpack")
    with pytest.raises(UsageError, match=r"no target '\.\./x' \(there are cpu-"):
        find_target("../x")


def test_a_profile_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        'title = "M"\nkind = "cpu"\nrunner = "litert"\n'
        '[artifact]\nformat = "tflite"\nschemes = ["int8"]\n'
    )
    profile = profile_of(str(path))
    assert profile.name == "mine"
    assert profile_of(profile) is profile


def test_a_target_that_is_named_twice_is_one():
    named = ["cpu-xnnpack", "tflite-micro", find_target("cpu-xnnpack")]
    assert [profile.name for profile in profiles_of(named)] == ["cpu-xnnpack", "tflite-micro"]


def test_two_targets_of_one_name_are_refused(tmp_path):
    path = tmp_path / "cpu-xnnpack.toml"
    path.write_text(
        'title = "M"\nkind = "cpu"\nrunner = "litert"\n'
        '[artifact]\nformat = "tflite"\nschemes = ["int8"]\n'
    )
    assert profiles_of([path])[0].title == "M"
    with pytest.raises(UsageError, match=r"two targets have the name 'cpu-xnnpack' \(rename"):
        profiles_of(["cpu-xnnpack", path])
