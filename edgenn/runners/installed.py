"""What of an engine is really there: versions, and whether its modules can be imported."""

import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edgenn.errors import UnavailableError
from edgenn.runners.environments import Requirement, python_of

IMPORT_LIMIT_S = 120.0
"""For the modules of one engine; the first import after an installation compiles them all."""

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
"""Of a distribution, at the beginning of a requirement of pip's."""


def python_with(name: str, requirement: Requirement) -> Path | None:
    """The Python that holds an engine's packages, whatever else it may lack."""
    try:
        return python_of(name, replace(requirement, commands=()))
    except UnavailableError:
        return None


def distributions(requirement: Requirement) -> tuple[str, ...]:
    """Names of the packages that an engine needs, without versions."""
    matches = (NAME.match(package) for package in requirement.packages)
    return tuple(match[0] for match in matches if match)


def versions(python: Path, names: Sequence[str]) -> dict[str, str]:
    """Package → version, of those that a Python has."""
    path = sys.path if python == Path(sys.executable) else [str(site_packages(python))]
    found = {}
    for name in names:
        known = importlib.metadata.distributions(name=name, path=path)
        if (distribution := next(iter(known), None)) is not None:
            found[name] = distribution.version
    return found


def site_packages(python: Path) -> Path:
    """Where a virtual environment keeps its packages."""
    (site,) = python.parents[1].glob("lib/python*/site-packages")
    return site


def import_failure(
    python: Path, modules: Sequence[str], *, time_limit_s: float = IMPORT_LIMIT_S
) -> str:
    """Why a Python cannot import modules, in its own words; empty where it can.

    A process of its own tries: native libraries crash, and none of this is needed here.
    """
    script = "".join(f"import {module}\n" for module in modules)
    try:
        done = subprocess.run(
            [str(python), "-P", "-c", script],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=time_limit_s,
        )
    except subprocess.TimeoutExpired:
        return f"the import did not end in {time_limit_s:g} s"
    except OSError as error:
        return f"{python} cannot be run: {error.strerror}"
    if done.returncode < 0:
        return f"the import crashed: signal {-done.returncode}"
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return (lines[-1] if lines else "the import failed") if done.returncode else ""
