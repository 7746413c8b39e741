"""Asks Vulkan for its devices: ``python vulkan_probe.py LIBRARY``, one JSON object on stdout.

A program of its own that imports nothing but the standard library: drivers crash while they are
loaded, and that must be the end of this process alone. ``vulkan.py`` starts it for each driver.

Structures and numbers: Vulkan specification 1.3, chapters "Features" and "Devices and Queues".
"""

import ctypes
import json
import sys
from typing import Any

KINDS = {0: "other", 1: "integrated", 2: "discrete", 3: "virtual", 4: "cpu"}
"""``VkPhysicalDeviceType``."""

FEATURES = {
    "robustBufferAccess": 0,
    "fullDrawIndexUint32": 1,
    "imageCubeArray": 2,
    "independentBlend": 3,
    "sampleRateShading": 6,
    "depthBiasClamp": 12,
    "fragmentStoresAndAtomics": 26,
    "shaderUniformBufferArrayDynamicIndexing": 33,
    "shaderSampledImageArrayDynamicIndexing": 34,
    "shaderStorageBufferArrayDynamicIndexing": 35,
    "shaderStorageImageArrayDynamicIndexing": 36,
}
"""Those that Dawn insists on, by their place in ``VkPhysicalDeviceFeatures``.

Source: Dawn, ``src/dawn/native/vulkan/PhysicalDeviceVk.cpp``, ``InitializeImpl`` and
``InitializeSupportedFeaturesImpl``.
"""
FEATURE_COUNT = 55

VULKAN_1_1 = 1 << 22 | 1 << 12

_APPLICATION_INFO, _INSTANCE_CREATE_INFO = 0, 1
_FEATURES_2, _PROPERTIES_2 = 1000059000, 1000059001
_FLOAT16_INT8, _STORAGE_16BIT, _DRIVER = 1000082000, 1000083000, 1000196000


class ApplicationInfo(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_uint32),
        ("next", ctypes.c_void_p),
        ("application", ctypes.c_char_p),
        ("application_version", ctypes.c_uint32),
        ("engine", ctypes.c_char_p),
        ("engine_version", ctypes.c_uint32),
        ("api_version", ctypes.c_uint32),
    ]


class InstanceCreateInfo(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_uint32),
        ("next", ctypes.c_void_p),
        ("flags", ctypes.c_uint32),
        ("application", ctypes.POINTER(ApplicationInfo)),
        ("layer_count", ctypes.c_uint32),
        ("layers", ctypes.c_void_p),
        ("extension_count", ctypes.c_uint32),
        ("extensions", ctypes.c_void_p),
    ]


class Properties(ctypes.Structure):
    _fields_ = [
        ("api_version", ctypes.c_uint32),
        ("driver_version", ctypes.c_uint32),
        ("vendor", ctypes.c_uint32),
        ("device", ctypes.c_uint32),
        ("kind", ctypes.c_uint32),
        ("name", ctypes.c_char * 256),
        ("rest", ctypes.c_uint8 * 4096),  # limits: more than they are
    ]


class Driver(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_uint32),
        ("next", ctypes.c_void_p),
        ("id", ctypes.c_uint32),
        ("name", ctypes.c_char * 256),
        ("info", ctypes.c_char * 256),
        ("conformance", ctypes.c_uint8 * 4),
    ]


class Properties2(ctypes.Structure):
    _fields_ = [("type", ctypes.c_uint32), ("next", ctypes.c_void_p), ("properties", Properties)]


class Flags(ctypes.Structure):
    """``…Float16Int8Features`` and ``…16BitStorageFeatures``: two and four booleans."""

    _fields_ = [
        ("type", ctypes.c_uint32),
        ("next", ctypes.c_void_p),
        ("values", ctypes.c_uint32 * 4),
    ]


class Features2(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_uint32),
        ("next", ctypes.c_void_p),
        ("values", ctypes.c_uint32 * FEATURE_COUNT),
    ]


def devices(vulkan: Any) -> list[dict[str, Any]]:
    """What stands behind the loader; raises ``OSError`` with Vulkan's error number."""
    application = ApplicationInfo(_APPLICATION_INFO, None, b"", 0, b"", 0, VULKAN_1_1)
    creation = InstanceCreateInfo(
        _INSTANCE_CREATE_INFO, None, 0, ctypes.pointer(application), 0, None, 0, None
    )
    instance = ctypes.c_void_p()
    if error := vulkan.vkCreateInstance(ctypes.byref(creation), None, ctypes.byref(instance)):
        raise OSError(error, "vkCreateInstance")
    count = ctypes.c_uint32()
    vulkan.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), None)
    handles = (ctypes.c_void_p * count.value)()
    vulkan.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), handles)
    found = [describe(vulkan, ctypes.c_void_p(handle)) for handle in handles]
    vulkan.vkDestroyInstance(instance, None)
    return found


def describe(vulkan: Any, device: ctypes.c_void_p) -> dict[str, Any]:
    properties = Properties()
    vulkan.vkGetPhysicalDeviceProperties(device, ctypes.byref(properties))
    features = (ctypes.c_uint32 * FEATURE_COUNT)()
    vulkan.vkGetPhysicalDeviceFeatures(device, features)
    missing = [name for name, place in FEATURES.items() if not features[place]]
    api = properties.api_version
    said = {
        "name": properties.name.decode("utf-8", "replace"),
        "kind": KINDS.get(properties.kind, "other"),
        "api": f"{api >> 22 & 127}.{api >> 12 & 1023}.{api & 4095}",
        "driver": "",
        "missing": missing,
        "float16": False,
    }
    if api < VULKAN_1_1:
        said["missing"] = ["Vulkan 1.1", *missing]
        return said
    driver = Driver(_DRIVER)
    more = Properties2(_PROPERTIES_2, ctypes.addressof(driver))
    vulkan.vkGetPhysicalDeviceProperties2(device, ctypes.byref(more))
    said["driver"] = b" ".join(filter(None, (driver.name, driver.info))).decode("utf-8", "replace")
    storage = Flags(_STORAGE_16BIT)
    half = Flags(_FLOAT16_INT8, ctypes.addressof(storage))
    all_features = Features2(_FEATURES_2, ctypes.addressof(half))
    vulkan.vkGetPhysicalDeviceFeatures2(device, ctypes.byref(all_features))
    # shaderFloat16, storageBuffer16BitAccess
    said["float16"] = bool(half.values[0] and storage.values[0])
    return said


def main() -> None:
    try:
        vulkan = ctypes.CDLL(sys.argv[1])
    except OSError as error:
        print(json.dumps({"loader": str(error)}))
        return
    try:
        print(json.dumps({"devices": devices(vulkan)}))
    except OSError as error:
        print(json.dumps({"error": error.errno}))


if __name__ == "__main__":
    main()
