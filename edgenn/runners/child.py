"""A child process with a time limit, whose end is explained."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from edgenn import errors
from edgenn.errors import EdgennError, EngineError
from edgenn.runners.protocol import Message, read_message, write_message

REASON_LINES = 3
"""How many of the last lines on stderr stand in an error."""


class Child:
    """Answers messages, or fails with the reason.

    Args:
        module: What ``python -m`` runs.
        arguments: Its command line.
        artifact: What it runs, for errors; may change from message to message.
        time_limit_s: For each answer.
        python: The interpreter; the one at hand by default.
        environment: Variables besides those of this process.

    Attributes:
        timed_out: Whether it was stopped at its time limit.
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        artifact: str,
        time_limit_s: float,
        *,
        python: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.artifact = artifact
        self.time_limit_s = time_limit_s
        self.timed_out = False
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self._process = subprocess.Popen(
            # -P: files in the working directory must not hide modules
            [str(python or sys.executable), "-P", "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env={**os.environ, **(environment or {})},
            process_group=0,  # so that the programs that it started end with it
        )

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, message: Message | None = None) -> Message:
        """Sends a message, if given, and waits for the answer.

        Raises:
            EdgennError: What the child raised.
            EngineError: It crashed or took too long.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        timer = threading.Timer(self.time_limit_s, self._stop)
        timer.start()
        try:
            if message is not None:
                write_message(self._process.stdin, message)
            answer = read_message(self._process.stdout)
        except (BrokenPipeError, EOFError):
            answer = None
        finally:
            timer.cancel()
        if answer is None:
            raise self._death()
        if "error" in answer.values:
            kind: type[EdgennError] = getattr(errors, answer.values["error"])
            raise kind(answer.values["message"], answer.values["hint"])
        return answer

    def stderr(self, start: int = 0) -> str:
        """What it has written to stderr so far, from a byte on."""
        # not by seek: the child writes at the same offset
        size = self.stderr_size()
        return os.pread(self._stderr.fileno(), size - start, start).decode("utf-8", "replace")

    def stderr_size(self) -> int:
        """How many bytes it has written to stderr."""
        return os.fstat(self._stderr.fileno()).st_size

    def _stop(self) -> None:
        self.timed_out = True
        self._kill()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):  # it has ended, and all that it started
            os.killpg(self._process.pid, signal.SIGKILL)

    def _death(self) -> EngineError:
        code = self._process.wait()
        if self.timed_out:
            return EngineError(
                f"{self.artifact}: the engine gave no answer in {self.time_limit_s:g} s",
                "give fewer samples, or a longer time limit",
            )
        lines = [line.strip() for line in self.stderr().splitlines() if line.strip()]
        reason = " | ".join(lines[-REASON_LINES:])
        end = f"signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"exit code {code}"
        return EngineError(f"{self.artifact}: engine crashed on this artifact: {end}", reason)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # a child that is still at work has nothing left to do for anybody
        self._kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):  # what was not sent cannot be
                    stream.close()
        self._stderr.close()
