"""Vulkan as the GPU engines find it: devices, what is wrong, and what mends it.

LiteRT and ONNX Runtime compute on Dawn, Dawn on Vulkan. Three things can be missing: the loader,
a driver, and a device with the features that Dawn insists on. Each driver is asked in a process of
its own with a time limit, because drivers crash; so it is known, too, which driver a device is of,
and engines can be kept to those that are meant.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgenn.errors import UnavailableError

PROBE = Path(__file__).with_name("vulkan_probe.py")
LOADER = "libvulkan.so.1"
TIME_LIMIT_S = 30.0
"""For one driver to say what it is; a GPU that sleeps needs some of it."""

INCOMPATIBLE_DRIVER = -9
"""``VK_ERROR_INCOMPATIBLE_DRIVER``: the loader found no driver that it could use."""

SAY_ALL = ("VK_DRIVER_FILES", "VK_ICD_FILENAMES")
"""Variables that name drivers: where one is set, the loader looks nowhere else."""

SET_UP = "sudo tools/setup_system.sh in a checkout of edgenn installs an emulated GPU"
NO_LOADER = f"apt-get install libvulkan1; {SET_UP} and the loader"
NO_DRIVER = f"install the GPU's Vulkan driver; or, without a GPU, {SET_UP}"
NO_NVIDIA_DRIVER = "start the container with NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics"
NO_ADAPTER = f"update the driver (Mesa's lavapipe will do from version 23 on); or {SET_UP}"


@dataclass(frozen=True)
class Device:
    """A GPU, or what passes for one.

    Attributes:
        name: As the driver says it.
        kind: ``discrete``, ``integrated``, ``virtual``, ``cpu`` (an emulation) or ``other``.
        api: Version of Vulkan.
        driver: Its name and version.
        missing: Features that Dawn insists on and it lacks.
        float16: Whether shaders compute in float16.
        manifest: The file that names the driver to the loader.
    """

    name: str
    kind: str
    api: str
    driver: str
    missing: tuple[str, ...]
    float16: bool
    manifest: str

    @property
    def is_software(self) -> bool:
        return self.kind == "cpu"

    @property
    def is_usable(self) -> bool:
        return not self.missing


@dataclass(frozen=True)
class Diagnosis:
    """What there is, and what is wrong with it.

    Attributes:
        devices: Of all drivers, usable or not.
        problem: Why no device can be used; empty where one can.
        mend: What to do about it.
        notes: Drivers that could not be asked, and why.
    """

    devices: tuple[Device, ...]
    problem: str = ""
    mend: str = ""
    notes: tuple[str, ...] = ()

    def chosen(self, *, float16: bool = False) -> tuple[Device, ...]:
        """The devices to compute on: all hardware, or else one emulation.

        Args:
            float16: Of several emulations, one that computes in it comes first.
        """
        usable = [device for device in self.devices if device.is_usable]
        if hardware := [device for device in usable if not device.is_software]:
            return tuple(hardware)
        return tuple(sorted(usable, key=lambda device: float16 and not device.float16)[:1])

    def environment(self, *, float16: bool = False) -> dict[str, str]:
        """Variables that show an engine the chosen devices' drivers alone.

        Raises:
            UnavailableError: No device can be used.
        """
        if self.problem:
            raise UnavailableError(self.problem, self.mend)
        manifests = dict.fromkeys(device.manifest for device in self.chosen(float16=float16))
        # the second name is what loaders before 1.3.207 read
        return dict.fromkeys(SAY_ALL, os.pathsep.join(manifests))


def diagnose(*, loader: str = LOADER, time_limit_s: float = TIME_LIMIT_S) -> Diagnosis:
    """Asks every driver that the loader would find.

    Args:
        loader: The loader's library.
        time_limit_s: For each driver.
    """
    found = tuple(manifests(os.environ))
    answers = ask(found, loader, time_limit_s)
    devices: list[Device] = []
    notes: list[str] = []
    for manifest, answer in zip(found, answers, strict=False):
        for entry in answer.get("devices", ()):
            entry["missing"] = tuple(entry["missing"])
            devices.append(Device(**entry, manifest=str(manifest)))
        if "problem" in answer:
            notes.append(f"the driver of {manifest} {answer['problem']}")
    missing_loader = next((answer["loader"] for answer in answers if "loader" in answer), None)
    return Diagnosis(tuple(devices), *judged(missing_loader, devices, notes), tuple(notes))


def judged(
    missing_loader: str | None, devices: Sequence[Device], notes: Sequence[str]
) -> tuple[str, str]:
    """The problem and what mends it; twice nothing where a device can be used."""
    if missing_loader is not None:
        return f"there is no Vulkan loader: {missing_loader}", NO_LOADER
    if not devices:
        more = f" ({'; '.join(notes)})" if notes else ""
        if named := next(filter(os.environ.get, SAY_ALL), None):
            return f"there is no Vulkan driver in what {named} names{more}", f"unset {named}"
        in_container = any(Path("/dev").glob("nvidia[0-9]*"))
        return f"there is no Vulkan driver{more}", NO_NVIDIA_DRIVER if in_container else NO_DRIVER
    if not any(device.is_usable for device in devices):
        lacks = "; ".join(f"{device.name} lacks {', '.join(device.missing)}" for device in devices)
        return f"no Vulkan device will do: {lacks}", NO_ADAPTER
    return "", ""


def manifests(environment: Mapping[str, str]) -> Iterator[Path]:
    """The files that name drivers, where the loader looks for them on Linux.

    Source: Vulkan-Loader, ``docs/LoaderDriverInterface.md``, "Driver Discovery".
    """
    seen: set[Path] = set()
    for path in (*_named(environment), *_installed(environment)):
        if path.is_file() and (real := path.resolve()) not in seen:
            seen.add(real)
            yield path


def _named(environment: Mapping[str, str]) -> Iterator[Path]:
    for variable in (*SAY_ALL, "VK_ADD_DRIVER_FILES"):
        for entry in filter(None, environment.get(variable, "").split(os.pathsep)):
            path = Path(entry)
            yield from sorted(path.glob("*.json")) if path.is_dir() else (path,)


def _installed(environment: Mapping[str, str]) -> Iterator[Path]:
    if any(map(environment.get, SAY_ALL)):
        return
    home = Path(environment.get("HOME", "/"))
    roots = [
        environment.get("XDG_CONFIG_HOME") or str(home / ".config"),
        *(environment.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep),
        "/etc",
        environment.get("XDG_DATA_HOME") or str(home / ".local/share"),
        *(environment.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(os.pathsep),
    ]
    for root in roots:
        yield from sorted((Path(root) / "vulkan/icd.d").glob("*.json"))


def ask(found: Sequence[Path], loader: str, time_limit_s: float) -> list[dict[str, Any]]:
    """What each driver says, all at once; without any, what the loader says."""
    children = [
        subprocess.Popen(
            [sys.executable, "-I", str(PROBE), loader],
            env={**os.environ, "VK_DRIVER_FILES": manifest, "VK_ICD_FILENAMES": manifest},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        for manifest in (map(str, found) if found else (os.devnull,))
    ]
    return [answer_of(child, time_limit_s) for child in children]


def answer_of(child: "subprocess.Popen[bytes]", time_limit_s: float) -> dict[str, Any]:
    """What a probe printed; ``problem`` where its driver crashed, hung or failed."""
    try:
        output, _ = child.communicate(timeout=time_limit_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        return {"problem": f"gave no answer in {time_limit_s:g} s"}
    if child.returncode < 0:
        return {"problem": f"crashed: {signal.Signals(-child.returncode).name}"}
    if child.returncode:
        return {"problem": f"made the probe fail: exit code {child.returncode}"}
    answer: dict[str, Any] = json.loads(output)
    if answer.get("error") == INCOMPATIBLE_DRIVER:
        return {"problem": "cannot be used here"}
    if "error" in answer:
        return {"problem": f"failed: VkResult {answer['error']}"}
    return answer
