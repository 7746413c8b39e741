"""The child processes of one runner: one for each call, or one that is kept for many."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Protocol

from edgenn.errors import EngineError
from edgenn.runners.protocol import Message


class Conversation(Protocol):
    """The part of a child process that a runner talks to."""

    artifact: str
    timed_out: bool

    @property
    def is_alive(self) -> bool: ...

    def ask(self, message: Message | None = None) -> Message:
        """Sends a message, if given, and gives the answer."""
        ...

    def stderr(self, start: int = 0) -> str:
        """What the engine has printed, from a byte on."""
        ...

    def stderr_size(self) -> int: ...


@dataclass
class Opening:
    """An artifact in a process.

    Attributes:
        process: Has it open, or is about to.
        start: Where the process's words about it begin.
    """

    process: Conversation
    start: int


@dataclass
class _Ahead:
    """A question that is asked in the background."""

    opening: Opening
    request: Message
    answer: Future[Message]


class Processes:
    """Starts processes and opens artifacts in them.

    Args:
        start: A process that waits for messages.
    """

    def __init__(self, start: Callable[[], AbstractContextManager[Conversation]]) -> None:
        self._start = start
        self._stack = ExitStack()
        self._kept: Conversation | None = None
        self._keeps = False
        self._served = 0
        self._ahead: _Ahead | None = None

    def keep(self) -> None:
        """From now on one process serves all calls; one that has died is replaced."""
        self._keeps = True

    def close(self) -> None:
        """Ends the process that is kept."""
        self._keeps = False
        self._kept = None
        self._ahead = None
        self._stack.close()

    def begin(self, artifact: str, stack: ExitStack) -> Opening:
        """A process for an artifact: the one that is kept, or one for as long as ``stack``."""
        if self._ahead is not None:
            wait([self._ahead.answer])
            if self._ahead.opening.process.artifact == artifact:
                return self._ahead.opening  # whether it went well or not
            self._ahead = None
        process = self._process(stack)
        process.artifact = artifact
        return Opening(process, process.stderr_size())

    def ask(self, opening: Opening, request: Message, stack: ExitStack) -> Message:
        """Opens an artifact; in a fresh process where it was the end of one that served others.

        Raises:
            EdgennError: What the engine says; EngineError where it crashed or took too long.
        """
        ahead, self._ahead = self._ahead, None
        process = opening.process
        try:
            if ahead is not None and ahead.request.values == request.values:
                answer = ahead.answer.result()
            else:
                answer = process.ask(request)
        except EngineError:
            # one that served others before may have been broken by them
            if process.is_alive or process.timed_out or self._served == 0:
                raise
            artifact = process.artifact
            opening.process, opening.start = self._process(stack), 0
            opening.process.artifact = artifact
            answer = opening.process.ask(request)
        self._served += 1
        return answer

    def open_ahead(self, artifact: str, request: Message) -> None:
        """Starts the process that is kept, and begins to open an artifact, in the background.

        Nothing happens where no process is kept or one is at work already. What goes wrong is
        told when the artifact is asked for.
        """
        if not self._keeps or self._kept is not None:
            return
        process = self._process(self._stack)
        process.artifact = artifact
        pool = ThreadPoolExecutor(1)
        self._ahead = _Ahead(Opening(process, 0), request, pool.submit(process.ask, request))
        pool.shutdown(wait=False)

    def settle(self) -> None:
        """Waits until nothing goes on in the background."""
        if self._ahead is not None:
            wait([self._ahead.answer])

    def _process(self, stack: ExitStack) -> Conversation:
        if not self._keeps:
            self._served = 0
            return stack.enter_context(self._start())
        if self._kept is None or not self._kept.is_alive:
            self._served = 0
            self._stack.close()
            self._kept = self._stack.enter_context(self._start())
        return self._kept
