"""A GPU for tests: what Vulkan has here, or a skip that says what is missing."""

import functools

import pytest

from edgenn.runners.vulkan import Device, Diagnosis, diagnose

SOFTWARE = Device(
    "SwiftShader Device (Subzero)",
    "cpu",
    "1.3.0",
    "SwiftShader driver",
    (),
    False,
    "/icd/soft.json",
)
"""As it says of itself."""

diagnosis = functools.cache(diagnose)


@pytest.fixture
def gpu() -> Diagnosis:
    """Vulkan as it is on this machine; skips where there is no device."""
    found = diagnosis()
    if found.problem:
        pytest.skip(f"{found.problem} ({found.mend})")
    return found
