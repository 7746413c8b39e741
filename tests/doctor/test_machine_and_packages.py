"""What this Python has, whether it can be imported, and whether its pins hold."""

import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import pytest

from edgenn.doctor import packages
from edgenn.doctor.machine import cpu_info, this_machine
from edgenn.doctor.packages import broken_pins, examine_packages


def examined():
    with ThreadPoolExecutor(2) as pool:
        return examine_packages(pool)


def add_package(folder, name, *requires, version="1.0", module=None):
    metadata = folder / f"{name}-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    metadata.write_text(
        "\n".join([*lines, *(f"Requires-Dist: {text}" for text in requires)]) + "\n"
    )
    if module is not None:
        (folder / f"{name}.py").write_text(module)


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder of packages that this Python and its children see."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def test_this_machine():
    machine = this_machine()
    assert machine.executable == sys.executable
    assert machine.python == sys.version.split()[0]
    assert machine.cores >= 1 and machine.system and machine.architecture


def test_the_processor_is_that_of_the_first_core(tmp_path):
    (tmp_path / "info").write_text("processor\t: 0\nflags\t\t: avx2 a:b\n\nflags\t\t: other\n")
    assert cpu_info(tmp_path / "info") == {"processor": "0", "flags": "avx2 a:b"}
    assert cpu_info(tmp_path / "no") == {}


def test_packages_that_are_here_and_not(site, monkeypatch):
    add_package(site, "good", module="x = 1")
    add_package(site, "bad", version="2.0", module="raise ImportError('no libfoo.so')")
    uses = {"good": ("good", "sums"), "bad": ("bad", "products"), "away": ("away", "quotients")}
    monkeypatch.setattr(packages, "USES", uses)
    found, (trouble,) = examined()
    assert [(p.name, p.version, p.state) for p in found] == [
        ("good", "1.0", "works"),
        ("bad", "2.0", "broken"),
        ("away", "", "absent"),
    ]
    assert trouble.is_fatal and "ImportError: no libfoo.so" in trouble.what
    assert trouble.breaks == "it is for products"
    assert trouble.mend == "pip install --force-reinstall 'bad'"


def test_pins_that_do_not_hold(site):
    pinned = ("numpy<1.5", "pytest>=1", "no-such-package==3", 'rich<1; extra == "more"', "*?!")
    add_package(site, "pinned", *pinned)
    (trouble,) = broken_pins(["pinned", "no-such-package"])
    assert trouble.what == f"pinned 1.0 needs numpy<1.5, here is {version('numpy')}"
    assert trouble.is_fatal and trouble.mend == "pip install 'numpy<1.5'"


def test_pins_of_edgenn_s_extras_count(monkeypatch):
    wanted = ['keras>=99; extra == "convert"', 'ruff>=99; extra == "dev"']
    monkeypatch.setattr(packages, "requirements_of", lambda name: wanted)
    (trouble,) = broken_pins(["edgenn"])
    assert "needs keras>=99" in trouble.what


def test_without_packaging_pins_are_not_looked_at(monkeypatch):
    monkeypatch.setitem(sys.modules, "packaging.requirements", None)
    assert list(broken_pins(["edgenn"])) == []
