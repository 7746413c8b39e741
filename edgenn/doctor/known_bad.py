"""Combinations that are known not to go together, or to have a limit: a table.

What is installed here is looked up in it; what only fails by itself is found by trying.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from edgenn.doctor.report import Trouble
from edgenn.runners.vulkan import Device


@dataclass(frozen=True)
class KnownBad:
    """One row: all of its conditions have to hold.

    Attributes:
        what: The combination.
        breaks: What does not work, or works otherwise than it seems.
        mend: What to do about it.
        is_fatal: Whether something that is installed cannot work. Rows about drivers are not:
            whether any device is left is found out by asking.
        packages: Package → its versions, as ``<2``, ``>=1.5`` or ``==2.3``; all where empty.
        without: Packages that are not there.
        driver: Pattern in a Vulkan device's name and driver.
        driver_versions: Of what the pattern's group ``version`` holds.
        float16: Whether the device computes in it.
    """

    what: str
    breaks: str
    mend: str
    is_fatal: bool = True
    packages: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    driver: str = ""
    driver_versions: str = ""
    float16: bool | None = None


SAME_MODULE: Final = (
    "both install the module onnxruntime: the last one wins, and what it lacks is gone"
)
ONE_OF_THEM: Final = "pip uninstall onnxruntime {0}; then pip install the one that you need"

KNOWN_BAD: Final = (
    KnownBad(
        "Mesa's lavapipe before version 23",
        "no GPU target runs on it: it lacks shaderSampledImageArrayDynamicIndexing, and Dawn, which"
        " LiteRT and ONNX Runtime compute on, refuses it (Mesa 22.3 is Debian 12's)",
        "sudo tools/setup_system.sh in a checkout of edgenn installs SwiftShader; or install"
        " mesa-vulkan-drivers 23 or later, such as from bookworm-backports",
        is_fatal=False,
        driver=r"llvmpipe.* Mesa (?P<version>\d+\S*)",
        driver_versions="<23",
    ),
    KnownBad(
        "Mesa's lavapipe",
        "the first run on it compiles all shaders: half a minute and more for a MobileNetV2",
        "have patience, or use SwiftShader (sudo tools/setup_system.sh)",
        is_fatal=False,
        driver=r"llvmpipe.* Mesa (?P<version>\d+\S*)",
        driver_versions=">=23",
    ),
    KnownBad(
        "SwiftShader",
        "it has no float16: what gpu-fp16 asks for in float16 runs in float32, and says nothing of"
        " float16's drift",
        "install mesa-vulkan-drivers 25 or later, whose lavapipe computes in float16",
        is_fatal=False,
        driver="SwiftShader",
        float16=False,
    ),
    KnownBad(
        "ai-edge-litert 2.3 and unrolled int8 LSTMs, or bidirectional int8 GRUs, on a GPU",
        "LiteRT's GPU runtime crashes on them; edgenn reports it and goes on",
        "convert these models in float32 or float16 for a GPU",
        is_fatal=False,
        packages={"ai-edge-litert": "==2.3"},
        driver=".",
    ),
    KnownBad(
        "tosa-tools beside TensorFlow",
        "it pins flatbuffers 25.2.10, ml-dtypes 0.5.3 and NumPy before 2.2, which TensorFlow does"
        " not take: one of them fails, and with TensorFlow every conversion",
        "pip uninstall tosa-tools tosa-converter-for-tflite; pip install --upgrade"
        " 'edgenn[convert]'; edgenn targets install tosa-reference",
        packages={"tosa-tools": "", "tensorflow": ""},
    ),
    KnownBad(
        "tflite-runtime with NumPy 2",
        "it was built for NumPy 1: no .tflite file runs",
        "pip install ai-edge-litert, or pip install 'numpy<2'",
        packages={"tflite-runtime": "", "numpy": ">=2"},
        without=("ai-edge-litert",),
    ),
    KnownBad(
        "onnxruntime-ep-webgpu with ONNX Runtime before 1.23",
        "gpu-onnxruntime does not run: so old a one loads no execution providers from elsewhere",
        "pip install --upgrade onnxruntime",
        packages={"onnxruntime-ep-webgpu": "", "onnxruntime": "<1.23"},
    ),
    *(
        KnownBad(
            f"{other} beside onnxruntime",
            SAME_MODULE,
            ONE_OF_THEM.format(other),
            packages={other: versions, "onnxruntime": ""},
        )
        for other, versions in {
            "onnxruntime-gpu": "",
            "onnxruntime-directml": "",
            "onnxruntime-openvino": "",
            "onnxruntime-qnn": "<2",  # from 2 on it is loaded by onnxruntime
        }.items()
    ),
)


def known_troubles(packages: Mapping[str, str], devices: tuple[Device, ...]) -> Iterator[Trouble]:
    """What of the table is here.

    Args:
        packages: Package → version, of those that are installed.
    """
    for row in KNOWN_BAD:
        if (
            all(name in packages and holds(packages[name], v) for name, v in row.packages.items())
            and not any(name in packages for name in row.without)
            and (not row.driver or any(is_of(row, device) for device in devices))
        ):
            yield Trouble(row.what, row.breaks, row.mend, row.is_fatal)


def is_of(row: KnownBad, device: Device) -> bool:
    """Whether a device is one of those that a row is about."""
    found = re.search(row.driver, f"{device.name} {device.driver}")
    if found is None or (row.float16 is not None and device.float16 != row.float16):
        return False
    return not row.driver_versions or holds(found["version"], row.driver_versions)


def holds(version: str, condition: str) -> bool:
    """Whether a version is as ``<2``, ``>=1.5`` or ``==2.3`` (and 2.3.1) say; numbers count."""
    if not condition:
        return True
    relation, wanted = re.findall(r"[<>=]+|[\d.]+", condition)
    bound = numbers(wanted)
    given = numbers(version)[: len(bound)]
    return {"<": given < bound, ">=": given >= bound, "==": given == bound}[relation]


def numbers(version: str) -> list[int]:
    """``2.3.0rc1`` as [2, 3, 0]."""
    leading = re.match(r"\d+(?:\.\d+)*", version)
    return [int(part) for part in leading[0].split(".")] if leading else []
