"""What an examination found: plain data."""

from dataclasses import dataclass
from typing import Literal

from edgenn.errors import UnavailableError
from edgenn.runners.vulkan import Diagnosis

State = Literal["works", "absent", "broken"]


@dataclass(frozen=True)
class Machine:
    """The computer and its Python.

    Attributes:
        system: Its name and version.
        architecture: Of the processor, such as ``x86_64``.
        processor: Its name; empty where the system does not tell.
        cores: As many as programs may use.
        extensions: Those of the processor's instruction sets that engines make use of.
        python: Version.
        executable: The Python that runs.
    """

    system: str
    architecture: str
    processor: str
    cores: int
    extensions: tuple[str, ...]
    python: str
    executable: str


@dataclass(frozen=True)
class Package:
    """A package that edgenn uses.

    Attributes:
        version: Empty where it is not installed.
        use: What for.
        state: Whether it can be imported.
    """

    name: str
    version: str
    use: str
    state: State


@dataclass(frozen=True)
class EngineState:
    """An engine and where it lives.

    Attributes:
        name: Of the runner.
        state: Whether it is installed, and has what it runs on.
        environment: The folder of its own environment; empty where this Python has it.
        versions: ``(package, version)`` of what it is made of.
    """

    name: str
    state: State
    environment: str = ""
    versions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Trouble:
    """What is wrong, or what one should know.

    Attributes:
        what: Where it is.
        breaks: What does not work because of it.
        mend: What to do about it.
        is_fatal: Whether something that is installed cannot work.
    """

    what: str
    breaks: str
    mend: str
    is_fatal: bool = True


@dataclass(frozen=True)
class Health:
    """All that was found.

    Attributes:
        edgenn: Its version.
        packages: In this Python.
        engines: In whatever environment.
        vulkan: Drivers and devices.
        troubles: The worst first.
    """

    edgenn: str
    machine: Machine
    packages: tuple[Package, ...]
    engines: tuple[EngineState, ...]
    vulkan: Diagnosis
    troubles: tuple[Trouble, ...]

    @property
    def exit_code(self) -> int:
        """4 if something that is installed cannot work."""
        is_ill = any(trouble.is_fatal for trouble in self.troubles)
        return UnavailableError.exit_code if is_ill else 0
