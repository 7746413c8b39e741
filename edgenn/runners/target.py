"""A target, ready to run: its profile with the engines that it names."""

from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

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
            UsageError: A runner that is not there.
            UnavailableError: A package with a runner that cannot be imported.
        """
        try:
            kinds = [runner_class(name) for name in profile.runners]
        except UsageError as error:
            raise UsageError(f"the profile {profile.name}: {error.message}", error.hint) from error
        runner = kinds[0](profile.options, time_limit_s=time_limit_s)
        if len(kinds) == 1:
            return cls(profile, runner)
        return cls(profile, runner, kinds[1](profile.estimator_options, time_limit_s=time_limit_s))

    @property
    def engines(self) -> tuple[Runner, ...]:
        return (self.runner,) if self.estimator is None else (self.runner, self.estimator)

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
