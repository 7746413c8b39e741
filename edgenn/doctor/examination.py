"""Looks at everything at once, each in a process of its own where it may crash."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from edgenn.doctor.engines import examine_engine
from edgenn.doctor.known_bad import KNOWN_BAD, known_troubles
from edgenn.doctor.machine import this_machine, usable_cores
from edgenn.doctor.packages import broken_pins, examine_packages, version_of
from edgenn.doctor.report import Health, Trouble
from edgenn.progress import Progress, silent
from edgenn.runners.registry import runner_names
from edgenn.runners.vulkan import diagnose


def examine(progress: Progress = silent) -> Health:
    """Everything that edgenn works with; takes some seconds, most of them TensorFlow's."""
    names = runner_names()
    with ThreadPoolExecutor(usable_cores(), thread_name_prefix="doctor") as pool:
        vulkan = pool.submit(diagnose)
        waiting = [pool.submit(examine_engine, name) for name in names]
        packages, troubles = examine_packages(pool)
        engines = []
        for done, (name, examined) in enumerate(zip(names, waiting, strict=True)):
            progress(f"looking at {name}", done, len(names))
            state, wrong = examined.result()
            engines.append(state)
            troubles += wrong
        devices = vulkan.result().devices
    own = {
        package for engine in engines if not engine.environment for package, _ in engine.versions
    }
    looked_at = list(dict.fromkeys(["edgenn", *(p.name for p in packages), *sorted(own)]))
    in_table = {name for row in KNOWN_BAD for name in row.packages}
    here = {name: version for name in {*looked_at, *in_table} if (version := version_of(name))}
    troubles += missing_drivers(os.environ)
    troubles += known_troubles(here, devices)
    troubles += broken_pins([*looked_at, *sorted(in_table - {*looked_at})])
    return Health(
        version_of("edgenn"),
        this_machine(),
        tuple(packages),
        tuple(engines),
        vulkan.result(),
        tuple(sorted(dict.fromkeys(troubles), key=lambda trouble: not trouble.is_fatal)),
    )


def missing_drivers(environment: Mapping[str, str]) -> list[Trouble]:
    """Variables that name Vulkan drivers which are not there: the loader says nothing of it."""
    return [
        Trouble(
            f"{variable} names {entry}, which does not exist",
            "the Vulkan loader looks for GPUs' drivers there and nowhere else",
            f"unset {variable}, or correct it",
            is_fatal=False,
        )
        for variable in ("VK_DRIVER_FILES", "VK_ICD_FILENAMES")
        for entry in environment.get(variable, "").split(os.pathsep)
        if entry and not Path(entry).exists()
    ]
