import platform
from pathlib import Path

import numpy as np
import pytest
from support.recurrent import recurrent_graph
from support.stepping import write_artifact

from edgenn.export.onnx.exporter import to_onnx
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.ops import FullyConnected, Lstm
from edgenn.lowering.recurrent.forms import Form
from edgenn.quantization.integer import quantize_integer
from edgenn.quantization.parameters import Range
from edgenn.quantization.schemes import Gates, Scheme
from edgenn.runtime import Session
from edgenn.runtime import onnxruntime as engine


@pytest.mark.parametrize(
    ("machine", "flags", "exact"),
    [
        ("x86_64", "flags : sse2 avx2", True),
        ("x86_64", "flags : avx2 avx512_vnni", False),
        ("AMD64", "flags : avx_vnni", False),
        ("x86_64", None, True),
        ("aarch64", None, False),
    ],
)
def test_only_x86_without_vnni_needs_them(machine, flags, exact, tmp_path: Path):
    cpu_info = tmp_path / "cpuinfo"
    if flags is not None:
        cpu_info.write_text(flags)
    assert engine.needs_exact_products(machine, cpu_info) is exact


def test_the_largest_products_do_not_saturate(tmp_path: Path, monkeypatch):
    """All weights and activations at their ends: pairs of products exceed 16 bits."""
    builder = GraphBuilder("m")
    x = builder.input("x", (None, 64))
    weights = np.ones((8, 64), np.float32)
    y = builder.add(FullyConnected(), [x, builder.constant("w", weights)], "y")
    ranges = {"x": Range(0, 1), "y": Range(0, 64)}
    graph = quantize_integer(builder.finish({"y": y}), Scheme.INT8, ranges)
    path = tmp_path / "m.onnx"
    path.write_bytes(to_onnx(graph))
    ones = np.ones((1, 64), np.float32)
    assert Session(path).run(ones) == pytest.approx(np.full((1, 8), 64.0), abs=0.3)
    # the exact way loads these files too
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(engine, "CPU_INFO", tmp_path / "absent")
    assert Session(path).run(ones) == pytest.approx(np.full((1, 8), 64.0), abs=0.3)


def test_copies_of_a_cell_share_their_weights(tmp_path: Path, monkeypatch):
    x = np.random.default_rng(0).normal(size=(8, 5, 3)).astype(np.float32)
    graph = recurrent_graph(Lstm(units=4), steps=5, outputs=("h",))
    path = write_artifact(
        graph,
        tmp_path,
        form=Form.UNROLLED,
        format_="onnx",
        scheme=Scheme.INT8,
        gates=Gates.INT16,
        samples={"x": x},
    )
    expected = Session(path).run(x)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(engine, "CPU_INFO", tmp_path / "absent")
    assert np.abs(Session(path).run(x) - expected).max() <= 0.01 * np.ptp(expected)
