"""Where an engine is installed: the Python at hand, or an environment of its own.

Packages of some engines pin versions that TensorFlow does not take. They live in a virtual
environment each, into which the edgenn that is running is linked: a runner's child process there
needs NumPy, the engine and the few modules of edgenn that a worker imports.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgenn.errors import UnavailableError
from edgenn.home import data_folder

COMPLETE = ".complete"
"""Lies in an environment that is whole: programs look for it while others make it."""

LAST_LINES = 3
"""How much of what pip says of a failure stands in the error."""


@dataclass(frozen=True)
class Requirement:
    """What an engine needs.

    Attributes:
        modules: Importable where the engine is installed.
        packages: What pip installs.
        own: The packages do not go together with TensorFlow's: never in the Python at hand.
        commands: Programs that have to be on the path, such as a compiler.
    """

    modules: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    own: bool = False
    commands: tuple[str, ...] = ()


def root() -> Path:
    """The folder of all environments."""
    return data_folder() / "engines"


def python_of(name: str, requirement: Requirement) -> Path:
    """The Python that has an engine.

    Args:
        name: Of the runner: that of its environment, too.

    Raises:
        UnavailableError: It is nowhere; says which command mends it.
    """
    for command in requirement.commands:
        if shutil.which(command) is None:
            raise UnavailableError(
                f"{name} needs the program {command}", "install it, such as with apt-get"
            )
    if not requirement.own and all(map(is_importable, requirement.modules)):
        return Path(sys.executable)
    folder = root() / name
    if (folder / COMPLETE).is_file():
        _link(_python_in(folder))
        return _python_in(folder)
    raise UnavailableError(f"{name} is not installed", mend(name, requirement))


def mend(name: str, requirement: Requirement) -> str:
    """What to type to have the engine."""
    own = f"edgenn targets install {name}"
    if requirement.own:
        return own
    packages = " ".join(f"'{package}'" for package in requirement.packages)
    return f"{own}, or pip install {packages}"


def is_importable(module: str) -> bool:
    """Whether the Python at hand finds a module, without running it."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the package above it
        return False


Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]


def _run(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)


def install(name: str, requirement: Requirement, run: Run = _run) -> Path:
    """Makes an engine's environment, or makes it anew; it appears whole or not at all.

    Args:
        run: What runs pip.

    Returns:
        Its Python.

    Raises:
        UnavailableError: pip failed.
    """
    folder = root() / name
    shutil.rmtree(folder, ignore_errors=True)
    try:
        venv.create(folder, with_pip=True, symlinks=True)
        python = _python_in(folder)
        quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
        done = run([str(python), "-m", "pip", "install", *quiet, "numpy", *requirement.packages])
        if done.returncode:
            lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
            reason = " | ".join(lines[-LAST_LINES:])
            raise UnavailableError(f"{name}: pip could not install it: {reason}", "try it by hand")
        _link(python)
        (folder / COMPLETE).touch()
    except (subprocess.CalledProcessError, OSError, UnavailableError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, UnavailableError):
            raise
        raise UnavailableError(f"{name}: no environment in {folder}: {error}") from error
    except BaseException:  # interrupted: half an environment must not be found again
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return python


def _python_in(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _link(python: Path) -> None:
    """Shows the environment this edgenn, wherever it is now."""
    package = Path(__file__).resolve().parents[1]
    (site,) = python.parents[1].glob("lib/python*/site-packages")
    link = site / package.name
    if link.is_symlink() and link.resolve() == package:
        return
    draft = link.with_name(f".{package.name}.{os.getpid()}")
    draft.symlink_to(package, target_is_directory=True)
    draft.replace(link)  # several programs may do this at once
