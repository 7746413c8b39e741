"""The table of bad combinations: every row is found where it is, and nowhere else."""

import pytest

from edgenn.doctor.known_bad import KNOWN_BAD, holds, known_troubles
from edgenn.runners.vulkan import Device


def device(name="llvmpipe (LLVM 15.0.6, 256 bits)", driver="llvmpipe Mesa 22.3.6", **options):
    known = {"kind": "cpu", "api": "1.3.0", "missing": (), "float16": True, "manifest": "lvp.json"}
    return Device(name=name, driver=driver, **{**known, **options})


SWIFTSHADER = device("SwiftShader Device (Subzero)", "SwiftShader driver", float16=False)
NVIDIA = device("NVIDIA H100", "NVIDIA 580.1", kind="discrete")
GOOD = {"tensorflow": "2.21.0", "numpy": "2.4.6", "onnxruntime": "1.32.0", "onnx": "1.20"}


def found(packages=GOOD, *devices):
    return [trouble.what for trouble in known_troubles(packages, devices)]


def test_nothing_is_wrong_with_what_goes_together():
    assert found() == []
    plug_ins = {"onnxruntime-ep-webgpu": "0.4.0", "onnxruntime-qnn": "2.7.0"}
    assert found({**GOOD, **plug_ins, "ai-edge-litert": "2.3.0", "tflite-runtime": "2.14"}) == []


@pytest.mark.parametrize(
    ("driver", "expected"),
    [
        ("llvmpipe Mesa 22.3.6 (LLVM 15.0.6)", ["Mesa's lavapipe before version 23"]),
        ("llvmpipe Mesa 23.0.0-1~bpo12", ["Mesa's lavapipe"]),
        ("llvmpipe Mesa 25.0.7", ["Mesa's lavapipe"]),
        ("radv Mesa 22.3.6", []),
    ],
)
def test_lavapipe(driver, expected):
    name = "llvmpipe (LLVM)" if "llvmpipe" in driver else "AMD RADV"
    assert found(GOOD, device(name, driver)) == expected


def test_lavapipe_of_debian_12_names_the_feature_and_the_mend():
    (trouble,) = known_troubles({}, (device(),))
    assert "shaderSampledImageArrayDynamicIndexing" in trouble.breaks
    assert "tools/setup_system.sh" in trouble.mend
    assert not trouble.is_fatal, "another device may do"


def test_swiftshader_has_no_float16():
    assert found(GOOD, SWIFTSHADER) == ["SwiftShader"]
    assert found(GOOD, device("SwiftShader Device", "SwiftShader driver", float16=True)) == []


def test_a_crash_of_litert_concerns_those_who_have_a_gpu():
    litert = {"ai-edge-litert": "2.3.0"}
    assert found(litert) == []
    (what,) = found(litert, NVIDIA)
    assert what.startswith("ai-edge-litert 2.3 and unrolled int8 LSTMs")
    assert found({"ai-edge-litert": "2.4.0"}, NVIDIA) == []


@pytest.mark.parametrize(
    ("packages", "what"),
    [
        ({"tosa-tools": "2026.8.0"}, "tosa-tools beside TensorFlow"),
        ({"onnxruntime-gpu": "1.22"}, "onnxruntime-gpu beside onnxruntime"),
        ({"onnxruntime-qnn": "1.24"}, "onnxruntime-qnn beside onnxruntime"),
        ({"tflite-runtime": "2.14.0"}, "tflite-runtime with NumPy 2"),
        (
            {"onnxruntime-ep-webgpu": "0.4.0", "onnxruntime": "1.22.1"},
            "onnxruntime-ep-webgpu with ONNX Runtime before 1.23",
        ),
    ],
)
def test_packages_that_do_not_go_together(packages, what):
    (trouble,) = known_troubles({**GOOD, **packages}, ())
    assert trouble.what == what
    assert trouble.is_fatal and "pip" in trouble.mend
    assert found(packages if len(packages) == 1 else {"onnxruntime": "1.22.1"}) == []


def test_every_row_says_something_that_one_can_do():
    for row in KNOWN_BAD:
        assert row.breaks and row.mend and (row.packages or row.driver)


@pytest.mark.parametrize(
    ("version", "condition", "expected"),
    [
        ("2.4.6", "", True),
        ("1.22.1", "<1.23", True),
        ("1.23.0rc1", "<1.23", False),
        ("1.9", "<1.23", True),
        ("2", ">=2", True),
        ("1.99", ">=2", False),
        ("2.3.1", "==2.3", True),
        ("2.30", "==2.3", False),
    ],
)
def test_versions(version, condition, expected):
    assert holds(version, condition) == expected
