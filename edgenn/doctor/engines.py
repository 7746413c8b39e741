"""The engines: where each lives, and whether it can work there."""

import sys
from pathlib import Path

from edgenn.doctor.report import EngineState, Trouble
from edgenn.errors import EdgennError, UnavailableError
from edgenn.runners.gpu import GpuRunner
from edgenn.runners.installed import distributions, import_failure, python_with, versions
from edgenn.runners.registry import runner_class
from edgenn.runners.runner import Runner
from edgenn.runners.vulkan import NO_NVIDIA_DRIVER
from edgenn.targets.catalog import shipped

Examined = tuple[EngineState, tuple[Trouble, ...]]


def examine_engine(name: str) -> Examined:
    """One runner, by name: imports its modules where it is installed, and starts nothing else."""
    try:
        runner = runner_class(name)()
    except EdgennError as error:  # of a package that adds runners, and is installed
        return EngineState(name, "broken"), (Trouble(error.message, of_targets(name), error.hint),)
    requirement = runner.requirement
    python = python_with(name, requirement)
    if python is None:
        return EngineState(name, "absent"), ()
    is_own = python != Path(sys.executable)
    environment = str(python.parents[1]) if is_own else ""
    found = tuple(versions(python, distributions(requirement)).items())
    if failure := import_failure(python, requirement.modules):
        what = f"{name} in {environment or 'this Python'} cannot be imported: {failure}"
        trouble = Trouble(what, of_targets(name), again(runner, is_own))
        return EngineState(name, "broken", environment, found), (trouble,)
    try:
        runner.require_available()
    except UnavailableError as error:
        if not is_wrong(runner):
            return EngineState(name, "absent", environment, found), ()
        trouble = Trouble(error.message, of_targets(name), error.hint)
        return EngineState(name, "broken", environment, found), (trouble,)
    return EngineState(name, "works", environment, found), ()


def of_targets(engine: str) -> str:
    """What an engine is for."""
    names = [profile.name for profile in shipped() if engine in profile.runners]
    return f"{engine} runs {', '.join(names)}" if names else f"it is the engine {engine}"


def again(runner: Runner, is_own: bool) -> str:
    """How to install an engine anew."""
    if is_own:
        return f"edgenn targets install --force {runner.name}"
    packages = " ".join(f"'{package}'" for package in runner.requirement.packages)
    return f"pip install --force-reinstall {packages}"


def is_wrong(runner: Runner) -> bool:
    """Whether what an engine lacks is a fault; a machine without a GPU has none."""
    if not isinstance(runner, GpuRunner):
        return True
    diagnosis = runner.diagnosis
    return bool(diagnosis.devices) or diagnosis.mend == NO_NVIDIA_DRIVER
