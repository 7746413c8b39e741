"""Targets made of profiles."""

import pytest
from support.targets import fake_profile

from edgenn.errors import UsageError
from edgenn.runners.target import Target
from edgenn.targets.catalog import shipped


@pytest.mark.parametrize("profile", shipped(), ids=lambda profile: profile.name)
def test_every_profile_makes_one(profile):
    target = Target.of(profile)
    assert [engine.name for engine in target.engines] == list(profile.runners)
    assert target.runner.options == profile.options


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"runner": "litrt"}, ["the profile mine", "no runner 'litrt'"]),
        ({"runner": "vela"}, ["vela computes no outputs", "name it as estimator"]),
        ({"runner": "litert-gpu", "options": {"presicion": "f16"}}, ["presicion", "precision"]),
        (
            {"runner": "litert", "estimator": "vela", "estimator_options": {"speed": 1}},
            ["vela knows no estimator_options.speed", "accelerator"],
        ),
        ({"runner": "tosa-reference", "options": {"a": 1}}, ["options.a", "it knows none"]),
    ],
)
def test_profiles_that_do_not_go_together(tables, words):
    profile = fake_profile("mine").model_copy(update=tables)
    with pytest.raises(UsageError) as error:
        Target.of(profile)
    for word in words:
        assert word in str(error.value)
