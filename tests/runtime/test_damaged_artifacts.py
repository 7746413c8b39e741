"""Damaged files never reach a native engine, or are refused by it in one clean error."""

import random

import numpy as np
import pytest
from support.artifacts import conv_graph, int8_conv_graph, write_onnx, write_tflite

from edgenn.errors import ArtifactError, EdgennError, EngineError
from edgenn.runtime import Session
from edgenn.runtime.tflite_file import parse_tflite, read_tflite


@pytest.fixture(scope="module")
def tflite(tmp_path_factory):
    return write_tflite(int8_conv_graph(), tmp_path_factory.mktemp("t")).read_bytes()


@pytest.fixture(scope="module")
def onnx(tmp_path_factory):
    return write_onnx(conv_graph(), tmp_path_factory.mktemp("o")).read_bytes()


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
@pytest.mark.parametrize(
    "content",
    [b"", b"\x00", b"TFL3", b"\x1c\x00\x00\x00TFL3", b"not a model at all", bytes(1000)],
)
def test_rubbish(tmp_path, suffix, content):
    path = tmp_path / f"net{suffix}"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match="net"):
        Session(path)


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_random_bytes(tmp_path, suffix):
    path = tmp_path / f"net{suffix}"
    source = random.Random(3)
    for _ in range(20):
        content = source.randbytes(source.randrange(8, 500))
        path.write_bytes(content[:4] + b"TFL3" + content[8:] if suffix == ".tflite" else content)
        with pytest.raises((ArtifactError, EngineError)):
            Session(path)


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9, 0.99])
def test_truncated_tflite(tmp_path, tflite, share):
    path = tmp_path / "net.tflite"
    path.write_bytes(tflite[: int(len(tflite) * share)])
    with pytest.raises(ArtifactError, match="damaged"):
        Session(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_truncated_onnx(tmp_path, onnx, share):
    path = tmp_path / "net.onnx"
    path.write_bytes(onnx[: int(len(onnx) * share)])
    with pytest.raises(ArtifactError, match="damaged or not an ONNX file"):
        Session(path)


def test_every_truncation_is_noticed(tflite):
    for size in range(len(tflite)):
        with pytest.raises(ArtifactError):
            parse_tflite(tflite[:size], "net.tflite")


def test_flipped_bytes_are_read_or_refused(tflite):
    """The reader itself never fails in another way, whatever is in the file."""
    source = random.Random(5)
    refused = 0
    for _ in range(2000):
        content = bytearray(tflite)
        for _ in range(source.randrange(1, 6)):
            content[source.randrange(8, len(content))] = source.randrange(256)
        try:
            parse_tflite(bytes(content), "net.tflite")
        except EdgennError:
            refused += 1
    assert refused > 100


def test_reads_what_the_writer_wrote(tmp_path):
    content = read_tflite(write_tflite(int8_conv_graph(), tmp_path))
    assert [op.builtin for op in content.operators] == [3]  # CONV_2D
    assert content.inputs[0].info.name == "x"
    assert np.dtype(content.outputs[0].info.dtype) == np.int8
