"""What a device has: the base install, without TensorFlow, Keras, onnx and ONNX Runtime."""

import subprocess

import numpy as np
import pytest
from support.artifacts import conv_graph, int8_conv_graph, write_onnx, write_tflite
from support.base_install import make_base_environment

ABSENT = ("tensorflow", "keras", "tf_keras", "onnx", "onnxruntime", "h5py")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    python = make_base_environment(tmp_path_factory.mktemp("base") / "venv")

    def start(*arguments, cwd):
        return subprocess.run(
            [python, "-P", *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            cwd=cwd,
            env={"PATH": "/usr/bin:/bin"},
        )

    return start


@pytest.mark.parametrize("package", ABSENT)
def test_the_environment_lacks(run, tmp_path, package):
    result = run("-c", f"import {package}", cwd=tmp_path)
    assert "ModuleNotFoundError" in result.stderr


@pytest.mark.parametrize("graph", [conv_graph, int8_conv_graph])
def test_a_session_runs(run, tmp_path, graph):
    write_tflite(graph(), tmp_path)
    script = (
        "import edgenn, numpy as np\n"
        "session = edgenn.Session('net.tflite')\n"
        "print(session.run(np.ones((2, 4, 4, 2), np.float32)).shape)"
    )
    result = run("-c", script, cwd=tmp_path)
    assert result.stdout == "(2, 4, 4, 3)\n", result.stderr


def test_the_command_line_runs_and_inspects(run, tmp_path):
    write_tflite(int8_conv_graph(), tmp_path)
    np.save(tmp_path / "x.npy", np.ones((2, 4, 4, 2), np.float32))
    edgenn = ("-m", "edgenn.cli.main")
    result = run(
        *edgenn, "run", "net.tflite", "--input", "x.npy", "--output", "y.npy", cwd=tmp_path
    )
    assert result.returncode == 0, result.stderr
    assert np.load(tmp_path / "y.npy").shape == (2, 4, 4, 3)
    result = run(*edgenn, "inspect", "net.tflite", cwd=tmp_path)
    assert "CONV_2D" in result.stdout, result.stderr


def test_what_is_missing_is_named_with_the_command_that_brings_it(run, tmp_path):
    write_onnx(conv_graph(), tmp_path)
    np.save(tmp_path / "x.npy", np.ones((2, 4, 4, 2), np.float32))
    (tmp_path / "m.keras").write_bytes(b"PK")
    commands = {
        "onnxruntime>=1.20": ("run", "net.onnx", "--input", "x.npy", "--output", "y.npy"),
        "edgenn[convert]": ("convert", "m.keras", "-o", "out"),
    }
    for extra, arguments in commands.items():
        result = run("-m", "edgenn.cli.main", *arguments, cwd=tmp_path)
        assert result.returncode == 4, result.stderr
        assert "pip install" in result.stderr and extra in result.stderr
        assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()
