"""What Vulkan is like here, and each of the ways in which it can be unusable."""

import ctypes.util
from dataclasses import replace

import pytest
from support.gpu import SOFTWARE, gpu  # noqa: F401 - a fixture

from edgenn.errors import UnavailableError
from edgenn.runners import vulkan
from edgenn.runners.vulkan import Diagnosis, diagnose

DISCRETE = replace(
    SOFTWARE, name="Quick", kind="discrete", float16=True, manifest="/icd/quick.json"
)
HALF = replace(SOFTWARE, name="llvmpipe", float16=True, manifest="/icd/lvp.json")
LAVAPIPE_22 = replace(HALF, missing=("shaderSampledImageArrayDynamicIndexing",))

PRETENDING = """
import json, os, signal, sys, time
name = os.path.basename(os.environ["VK_DRIVER_FILES"])
assert os.environ["VK_ICD_FILENAMES"] == os.environ["VK_DRIVER_FILES"]
if name == "crashing.json":
    os.kill(os.getpid(), signal.SIGSEGV)
if name == "hanging.json":
    time.sleep(60)
if name == "foreign.json":
    print(json.dumps({"error": -9}))
    sys.exit()
if name == "odd.json":
    print(json.dumps({"error": -3}))
    sys.exit()
device = {"name": name, "kind": "cpu", "api": "1.3.0", "driver": "d", "float16": True}
missing = ["shaderSampledImageArrayDynamicIndexing"] if name == "lvp.json" else []
print(json.dumps({"devices": [device | {"missing": missing}]}))
"""
"""Stands in for the probe: a driver is what its manifest is called."""


@pytest.fixture
def drivers(tmp_path, monkeypatch):
    """Lets there be drivers of these names."""
    probe = tmp_path / "probe.py"
    probe.write_text(PRETENDING)
    monkeypatch.setattr(vulkan, "PROBE", probe)

    def have(*names):
        paths = [tmp_path / f"{name}.json" for name in names]
        for path in paths:
            path.write_text("{}")
        monkeypatch.setenv("VK_DRIVER_FILES", ":".join(map(str, paths)))
        monkeypatch.delenv("VK_ICD_FILENAMES", raising=False)

    return have


def test_without_a_loader():
    found = diagnose(loader="libno-such-vulkan.so.1")
    assert found.problem.startswith(
        "there is no Vulkan loader: libno-such-vulkan.so.1: cannot open"
    )
    assert "apt-get install libvulkan1" in found.mend
    assert found.devices == ()
    with pytest.raises(UnavailableError, match="no Vulkan loader"):
        found.environment()


@pytest.mark.skipif(
    ctypes.util.find_library("vulkan") is None, reason="there is no Vulkan loader here"
)
def test_without_a_driver(monkeypatch):
    for variable in vulkan.SAY_ALL:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(vulkan, "manifests", lambda environment: ())
    found = diagnose()
    assert found.problem == "there is no Vulkan driver"
    assert "setup_system.sh" in found.mend or "NVIDIA_DRIVER_CAPABILITIES" in found.mend


@pytest.mark.skipif(
    ctypes.util.find_library("vulkan") is None, reason="there is no Vulkan loader here"
)
def test_a_variable_that_hides_the_drivers_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("VK_ICD_FILENAMES", str(tmp_path / "nothing.json"))
    monkeypatch.delenv("VK_DRIVER_FILES", raising=False)
    found = diagnose()
    assert found.problem == "there is no Vulkan driver in what VK_ICD_FILENAMES names"
    assert found.mend == "unset VK_ICD_FILENAMES"


def test_a_device_that_lacks_a_feature(drivers):
    drivers("lvp")
    found = diagnose()
    assert found.problem == (
        "no Vulkan device will do: lvp.json lacks shaderSampledImageArrayDynamicIndexing"
    )
    assert "version 23" in found.mend
    assert found.chosen() == ()


def test_drivers_that_crash_hang_or_fail_are_told_and_others_used(drivers):
    drivers("crashing", "hanging", "foreign", "odd", "good")
    found = diagnose(time_limit_s=3)
    assert found.problem == ""
    assert [device.name for device in found.devices] == ["good.json"]
    ends = (
        "crashed: SIGSEGV",
        "gave no answer in 3 s",
        "cannot be used here",
        "failed: VkResult -3",
    )
    assert [note.partition(".json ")[2] for note in found.notes] == list(ends)
    assert all(value.endswith("good.json") for value in found.environment().values())


def test_without_a_driver_that_answers(drivers):
    drivers("crashing")
    found = diagnose()
    assert found.problem.startswith(
        "there is no Vulkan driver in what VK_DRIVER_FILES names (the driver of "
    )
    assert found.problem.endswith("crashing.json crashed: SIGSEGV)")


def test_hardware_comes_before_emulation():
    found = Diagnosis((SOFTWARE, DISCRETE))
    assert found.chosen() == (DISCRETE,)
    assert set(found.environment().values()) == {DISCRETE.manifest}


def test_hardware_that_will_not_do_leaves_the_emulation():
    broken = replace(DISCRETE, missing=("Vulkan 1.1",))
    assert Diagnosis((broken, SOFTWARE)).chosen() == (SOFTWARE,)


def test_float16_is_emulated_by_what_has_it():
    found = Diagnosis((SOFTWARE, HALF, LAVAPIPE_22))
    assert found.chosen() == (SOFTWARE,)
    assert found.chosen(float16=True) == (HALF,)


def test_manifests_are_looked_for_where_the_loader_does(tmp_path):
    folders = ("home/.config", "etc/xdg", "share_1", "share_2")
    for number, folder in enumerate(folders):
        drivers = tmp_path / folder / "vulkan/icd.d"
        drivers.mkdir(parents=True)
        (drivers / f"{number}.json").write_text("{}")
        (drivers / "notes.txt").write_text("")
    again = tmp_path / "share_2/vulkan/icd.d/again.json"
    again.symlink_to(tmp_path / "share_1/vulkan/icd.d/2.json")
    environment = {
        "HOME": str(tmp_path / "home"),
        "XDG_CONFIG_DIRS": str(tmp_path / "etc/xdg"),
        "XDG_DATA_DIRS": f"{tmp_path / 'share_1'}:{tmp_path / 'share_2'}",
    }
    found = [path.name for path in vulkan.manifests(environment) if tmp_path in path.parents]
    assert found == ["0.json", "1.json", "2.json", "3.json"]
    added = {"VK_ADD_DRIVER_FILES": str(tmp_path / "share_2/vulkan/icd.d/3.json")}
    found = [path.name for path in vulkan.manifests(environment | added)]
    assert found[0] == "3.json"
    only = {"VK_ICD_FILENAMES": str(tmp_path / "share_2/vulkan/icd.d")}
    assert [path.name for path in vulkan.manifests(environment | only)] == ["3.json", "again.json"]


def test_devices_of_this_machine(gpu):  # noqa: F811
    for device in gpu.devices:
        assert device.name
        assert device.driver
        assert device.kind in ("discrete", "integrated", "virtual", "cpu", "other")
        assert device.api.count(".") == 2
    assert any(device.is_usable for device in gpu.devices)
    assert set(gpu.environment().values()) == {
        ":".join(dict.fromkeys(device.manifest for device in gpu.chosen()))
    }
