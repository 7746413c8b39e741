"""The computer and its Python."""

import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from edgenn.doctor.report import Machine

CPU_INFO: Final = Path("/proc/cpuinfo")

EXTENSIONS: Final[Mapping[str, str]] = {
    "avx2": "AVX2",
    "fma": "FMA",
    "f16c": "F16C",
    "avx512f": "AVX-512",
    "avx_vnni": "AVX-VNNI",
    "avx512_vnni": "AVX-512 VNNI",
    "avx512_fp16": "AVX-512 FP16",
    "amx_int8": "AMX int8",
    "asimd": "Neon",
    "asimddp": "Neon dot product",
    "asimdhp": "Neon float16",
    "i8mm": "int8 matrices",
    "sve": "SVE",
}
"""Flag of ``/proc/cpuinfo`` → its name; those that XNNPACK and ONNX Runtime look for."""


def this_machine() -> Machine:
    info = cpu_info()
    flags = info.get("flags", info.get("Features", "")).split()
    return Machine(
        system=system_name(),
        architecture=platform.machine(),
        processor=info.get("model name", "") or platform.processor(),
        cores=usable_cores(),
        extensions=tuple(name for flag, name in EXTENSIONS.items() if flag in flags),
        python=platform.python_version(),
        executable=sys.executable,
    )


def cpu_info(path: Path = CPU_INFO) -> dict[str, str]:
    """What Linux says of the first core; empty elsewhere."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    lines = text.partition("\n\n")[0].splitlines()
    pairs = (line.partition(":") for line in lines)
    return {key.strip(): value.strip() for key, _, value in pairs}


def system_name() -> str:
    """The distribution where there is one, and the kernel."""
    kernel = f"{platform.system()} {platform.release()}"
    try:
        return f"{platform.freedesktop_os_release()['PRETTY_NAME']}, {kernel}"
    except (OSError, KeyError):
        return kernel


def usable_cores() -> int:
    """The cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
