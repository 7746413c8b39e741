"""Which targets run on this machine, and what the others lack; nothing heavy is started."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from edgenn.errors import EdgennError
from edgenn.runners.registry import runner_class
from edgenn.targets.profile import Profile


@dataclass(frozen=True)
class Lack:
    """What an engine misses.

    Attributes:
        engine: Name of the runner.
        problem: What is wrong.
        mend: What to do about it.
    """

    engine: str
    problem: str
    mend: str


@dataclass(frozen=True)
class Availability:
    """A target, and whether it can be used here.

    Attributes:
        runner: Gives the numbers.
        estimator: Says what runs where and what it costs; empty without.
        optional: Whether its engines are only installed on request.
        format: Of the files that it takes.
        schemes: What they may hold.
        available: Whether nothing is lacking.
        lacks: Of each engine, what is.
    """

    name: str
    title: str
    kind: str
    description: str
    runner: str
    estimator: str
    optional: bool
    format: str
    schemes: tuple[str, ...]
    available: bool
    lacks: tuple[Lack, ...]


@dataclass(frozen=True)
class TargetList:
    """Targets in the order of tables."""

    targets: tuple[Availability, ...]


def availability(profiles: Iterable[Profile]) -> TargetList:
    """Asks the engines of all targets at once: some ask the system, and wait for it."""
    with ThreadPoolExecutor(thread_name_prefix="availability") as pool:
        return TargetList(tuple(pool.map(available_here, profiles)))


def available_here(profile: Profile) -> Availability:
    """Whether a target's engines are installed, and have what they run on."""
    engines = [(profile.runner, profile.options)]
    if profile.estimator is not None:
        engines.append((profile.estimator, profile.estimator_options))
    lacks = []
    for name, options in engines:
        try:
            runner_class(name)(options).require_available()
        except EdgennError as error:
            lacks.append(Lack(name, error.message, error.hint))
    return Availability(
        profile.name,
        profile.title,
        profile.kind,
        profile.description,
        profile.runner,
        profile.estimator or "",
        profile.optional,
        profile.artifact.format,
        profile.artifact.schemes,
        not lacks,
        tuple(lacks),
    )
