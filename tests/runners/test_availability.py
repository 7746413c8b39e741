"""Which targets run here, and what the others lack."""

import time

import pytest
from support.targets import fake_profile

from edgenn.errors import UnavailableError
from edgenn.runners import FakeRunner, availability
from edgenn.runners.availability import Lack, available_here
from edgenn.runners.availability import availability as listed_of
from edgenn.targets.catalog import shipped


class Absent(FakeRunner):
    """An engine that says what its options tell it to."""

    def __init__(self, options=None):
        super().__init__()
        self.options = dict(options or {})

    def require_available(self):
        time.sleep(self.options.get("asks_for_s", 0))
        if problem := self.options.get("problem"):
            raise UnavailableError(problem, "buy one")


@pytest.fixture(autouse=True)
def runners(monkeypatch):
    known = availability.runner_class
    monkeypatch.setattr(
        availability,
        "runner_class",
        lambda name: Absent if name.startswith("fake") else known(name),
    )


def test_what_is_here():
    found = available_here(fake_profile(estimator="fake-estimator", optional=True))
    assert found.available and found.lacks == ()
    assert (found.runner, found.estimator, found.optional) == ("fake", "fake-estimator", True)


def test_each_engine_is_asked_with_its_options():
    profile = fake_profile(
        estimator="fake-estimator",
        options={"problem": "no numbers"},
        estimator_options={"problem": "no cost"},
    )
    found = available_here(profile)
    assert not found.available
    assert found.lacks == (
        Lack("fake", "no numbers", "buy one"),
        Lack("fake-estimator", "no cost", "buy one"),
    )


def test_an_engine_that_does_not_exist_is_no_end():
    found = available_here(fake_profile("nothing"))
    assert [lack.engine for lack in found.lacks] == ["nothing"]
    assert "no runner 'nothing'" in found.lacks[0].problem


def test_all_are_asked_at_once():
    profiles = [fake_profile(f"fake{i}", options={"asks_for_s": 0.4}) for i in range(4)]
    began = time.perf_counter()
    listed = listed_of(profiles)
    assert time.perf_counter() - began < 1.2
    assert [target.name for target in listed.targets] == [profile.name for profile in profiles]


def test_shipped_targets_are_available_or_say_what_mends_them():
    for target in listed_of(shipped()).targets:
        assert target.available == (not target.lacks)
        assert all(lack.problem and lack.mend for lack in target.lacks), target.name
        if target.kind == "cpu":
            assert target.available
