"""The packages of this Python: their versions, whether they can be imported, and their pins."""

import importlib.metadata
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Final

from edgenn.doctor.report import Package, State, Trouble
from edgenn.runners.installed import import_failure

USES: Final[Mapping[str, tuple[str, str]]] = {
    "numpy": ("numpy", "everything"),
    "ai-edge-litert": ("ai_edge_litert.interpreter", "running .tflite files"),
    "tflite-runtime": (
        "tflite_runtime.interpreter",
        "running .tflite files without ai-edge-litert",
    ),
    "onnxruntime": ("onnxruntime", "running .onnx files"),
    "keras": ("keras", "converting, checking"),
    "tensorflow": ("tensorflow", "converting, checking"),
    "onnx": ("onnx", "writing and inspecting .onnx files"),
    "flatbuffers": ("flatbuffers", "writing .tflite files"),
    "h5py": ("h5py", "reading .h5 files"),
}
"""Package → the module that has to be importable, and what it is for."""

FOR_USERS: Final = frozenset({"convert", "onnx", "models", "micro", "ethos-u"})
"""Extras of edgenn whose pins matter to those who use it."""


def version_of(package: str) -> str:
    """The installed version; empty where there is none."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def examine_packages(pool: Executor) -> tuple[list[Package], list[Trouble]]:
    """All of them, in the order of ``USES``; imports are tried in processes of their own."""
    found = {name: version for name in USES if (version := version_of(name))}
    python = Path(sys.executable)
    failures = dict(
        zip(
            found,
            pool.map(lambda name: import_failure(python, [USES[name][0]]), found),
            strict=True,
        )
    )
    packages: list[Package] = []
    troubles: list[Trouble] = []
    for name, (module, use) in USES.items():
        failure = failures.get(name, "")
        state: State = "broken" if failure else "works" if name in found else "absent"
        packages.append(Package(name, found.get(name, ""), use, state))
        if failure:
            what = f"{name} {found[name]}: {module} cannot be imported: {failure}"
            mend = f"pip install --force-reinstall '{name}'"
            troubles.append(Trouble(what, f"it is for {use}", mend))
    return packages, troubles


def broken_pins(names: Sequence[str]) -> Iterator[Trouble]:
    """Installed packages that need other versions than those that are here."""
    try:
        from packaging.requirements import InvalidRequirement, Requirement
    except ModuleNotFoundError:  # the base install can do without; few packages are here then
        return
    for name in names:
        extras = ("", *FOR_USERS) if name == "edgenn" else ("",)
        for text in requirements_of(name):
            try:
                needed = Requirement(text)
            except InvalidRequirement:  # old packages write all kinds of things
                continue
            if needed.marker is not None and not any(
                needed.marker.evaluate({"extra": extra}) for extra in extras
            ):
                continue
            here = version_of(needed.name)
            if here and not needed.specifier.contains(here, prereleases=True):
                yield Trouble(
                    f"{name} {version_of(name)} needs {needed.name}{needed.specifier},"
                    f" here is {here}",
                    f"{name} may fail, now or when it is used",
                    f"pip install '{needed.name}{needed.specifier}'",
                )


def requirements_of(package: str) -> list[str]:
    """What a package says that it needs; nothing where it is not installed."""
    try:
        return importlib.metadata.requires(package) or []
    except importlib.metadata.PackageNotFoundError:
        return []
