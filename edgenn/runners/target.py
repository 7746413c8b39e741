"""A target, ready to run: its profile with the engines that it names."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from edgenn.errors import UsageError
from edgenn.options import DEFAULT_TIME_LIMIT_S
from edgenn.runners.registry import runner_class
from edgenn.runners.runner import Runner
from edgenn.targets.profile import Profile


@dataclass
class Target:
    """Engines of a target; ``with target:`` keeps their processes.

    Attributes:
        runner: Gives the numbers.
        estimator: Says what runs where and what it costs, if another engine does.
    """

    profile: Profile
    runner: Runner
    estimator: Runner | None = None

    @property
    def name(self) -> str:
        return self.profile.name

    @classmethod
    def of(cls, profile: Profile, *, time_limit_s: float = DEFAULT_TIME_LIMIT_S) -> Self:
        """The target of a profile; nothing is started.

        Raises:
            UsageError: A runner that is not there or that computes nothing, or an option that it
                does not know.
            UnavailableError: A package with a runner that cannot be imported.
        """
        try:
            kinds = [runner_class(name) for name in profile.runners]
        except UsageError as error:
            raise UsageError(f"the profile {profile.name}: {error.message}", error.hint) from error
        if not kinds[0].gives_numbers:
            raise UsageError(
                f"the profile {profile.name}: {kinds[0].name} computes no outputs",
                "name it as estimator, and as runner one that does",
            )
        require_options(profile.name, "options", kinds[0], profile.options)
        require_options(profile.name, "estimator_options", kinds[-1], profile.estimator_options)
        runner = kinds[0](profile.options, time_limit_s=time_limit_s)
        if len(kinds) == 1:
            return cls(profile, runner)
        return cls(profile, runner, kinds[1](profile.estimator_options, time_limit_s=time_limit_s))

    @property
    def engines(self) -> tuple[Runner, ...]:
        return (self.runner,) if self.estimator is None else (self.runner, self.estimator)

    def open_ahead(self, artifact: Path) -> None:
        """Within ``with target:``, begins to open its first artifact; errors come when it runs."""
        self.runner.open_ahead(artifact)

    def settle(self) -> None:
        """Waits until nothing goes on in the background, which would disturb what is timed."""
        self.runner.settle()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for engine in self.engines:
                stack.enter_context(engine)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()


def require_options(
    target: str, table: str, runner: type[Runner], options: Mapping[str, Any]
) -> None:
    """Whether a runner knows the options that a profile hands it.

    Raises:
        UsageError: It says which it knows, and there is another.
    """
    if runner.option_names is None:
        return
    unknown = [name for name in options if name not in runner.option_names]
    if unknown:
        known = ", ".join(runner.option_names) or "none"
        raise UsageError(
            f"the profile {target}: {runner.name} knows no {table}.{unknown[0]}",
            f"it knows {known}",
        )
