"""Installs the engines of a target where they are missing."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgenn.errors import UnavailableError, UsageError
from edgenn.nearest import nearest
from edgenn.runners.environments import Requirement, install
from edgenn.runners.installed import distributions, import_failure, python_with, versions
from edgenn.runners.registry import runner_class, runner_names
from edgenn.runners.runner import Runner
from edgenn.runners.target import Target
from edgenn.targets import find_target, target_names

Say = Callable[[str], None]
"""Told of what takes long, before it begins."""

Install = Callable[[str, Requirement], Path]
"""Makes an engine's environment; gives its Python."""


@dataclass(frozen=True)
class Installation:
    """What became of one engine.

    Attributes:
        engine: Name of the runner.
        is_new: Whether anything was installed.
        environment: Folder of its own environment; ``None`` where this Python has it.
        versions: Package → version.
    """

    engine: str
    is_new: bool
    environment: Path | None
    versions: dict[str, str]


def engines_of(name: str) -> tuple[Runner, ...]:
    """The engines of a target, or the one of that name.

    Args:
        name: Of a target or a runner, or the path of a profile.

    Raises:
        UsageError: There is neither.
    """
    targets, runners = target_names(), runner_names()
    if name in targets or name.endswith(".toml"):
        return Target.of(find_target(name)).engines
    if name in runners:
        return (runner_class(name)(),)
    known = list(dict.fromkeys([*targets, *runners]))
    raise UsageError(f"no target or engine {name!r}", nearest(name, known))


def install_engine(
    engine: Runner, say: Say, *, force: bool = False, make: Install = install
) -> Installation:
    """Installs an engine in an environment of its own, unless it is there.

    Args:
        force: Make its environment anew. What this Python has is pip's business, not ours.

    Raises:
        UnavailableError: pip failed, or what it installed cannot be imported.
    """
    name, requirement = engine.name, engine.requirement
    python = python_with(name, requirement)
    is_here = python == Path(sys.executable)
    if python is None or (force and not is_here):
        say(f"{name}: installing {', '.join(requirement.packages)} in an environment of its own")
        python = make(name, requirement)
        say(f"{name}: importing {', '.join(requirement.modules)}")
        if failure := import_failure(python, requirement.modules):
            raise UnavailableError(
                f"{name} was installed in {python.parents[1]}, but: {failure}",
                f"edgenn targets install --force {name} makes it anew",
            )
        return installation(engine, python, is_new=True)
    return installation(engine, python, is_new=False)


def installation(engine: Runner, python: Path, *, is_new: bool) -> Installation:
    """What there is of an engine now."""
    environment = None if python == Path(sys.executable) else python.parents[1]
    found = versions(python, distributions(engine.requirement))
    return Installation(engine.name, is_new, environment, found)
