"""A virtual environment with what ``pip install edgenn`` brings, and nothing of its extras.

Its packages are links to those of the environment that runs the tests: no network is needed.
"""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

import edgenn


def base_distributions() -> set[str]:
    """Names of edgenn's dependencies, and theirs, without any extra."""
    found: set[str] = set()
    waiting = ["edgenn"]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            required = distribution(name).requires or []
        except PackageNotFoundError:  # needed on another platform only
            continue
        found.add(name)
        for text in required:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return found


def make_base_environment(folder: Path) -> Path:
    """Makes the environment; gives its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "edgenn").symlink_to(Path(edgenn.__file__).parent)
    for name in base_distributions() - {"edgenn"}:
        package = distribution(name)
        for top in {file.parts[0] for file in package.files or () if file.parts[0] != ".."}:
            source, link = Path(str(package.locate_file(top))), site / top
            if source.exists() and not link.exists() and top != "__pycache__":
                link.symlink_to(source)
    return folder / "bin" / "python"
