"""The runtime stands on NumPy and one engine."""

import subprocess
import sys

FORBIDDEN = {"tensorflow", "keras", "tf_keras", "onnx", "onnxruntime", "flatbuffers", "h5py"}
LIGHT_ROOMS = {"edgenn", "edgenn.errors", "edgenn.runtime"}

SCRIPT = """
import sys
{action}
print("\\n".join(sys.modules))
"""


def modules_after(action):
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(action=action)],
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.split()


def test_import_of_the_runtime():
    modules = modules_after("import edgenn.runtime")
    packages = {name.partition(".")[0] for name in modules}
    assert packages.isdisjoint(FORBIDDEN | {"ai_edge_litert", "click", "rich"})
    rooms = {".".join(name.split(".")[:2]) for name in modules if name.startswith("edgenn")}
    assert rooms <= LIGHT_ROOMS


def test_import_of_the_package():
    packages = {name.partition(".")[0] for name in modules_after("import edgenn")}
    assert packages.isdisjoint(FORBIDDEN | {"numpy", "click", "rich"})


def test_a_tflite_session_needs_litert_only(tmp_path):
    from support.artifacts import conv_graph, write_tflite

    path = write_tflite(conv_graph(), tmp_path)
    action = (
        "import numpy as np; from edgenn.runtime import Session;"
        f"Session({str(path)!r}).run(np.zeros((1, 4, 4, 2), np.float32))"
    )
    packages = {name.partition(".")[0] for name in modules_after(action)}
    assert packages.isdisjoint(FORBIDDEN)
    assert "ai_edge_litert" in packages
