"""What the runners on this machine's CPU share: a child process with a session in it."""

from pathlib import Path

from edgenn.runners.child import Child
from edgenn.runners.runner import Runner


class SessionRunner(Runner):
    """Runs ``edgenn.Session`` with one engine.

    Attributes:
        engine: As ``Session`` takes it.
    """

    engine: str

    def start(self, artifact: Path) -> Child:
        return Child(
            "edgenn.runners.worker", [self.engine, str(artifact)], str(artifact), self.time_limit_s
        )
