import random
from pathlib import Path

import numpy as np
import pytest
from support.artifacts import (
    conv_graph,
    int8_conv_graph,
    two_input_graph,
    write_crashing_tflite,
    write_onnx,
    write_tflite,
)

from edgenn.errors import ArtifactError, DataError, EdgennError, EngineError
from edgenn.ir.evaluator import evaluate
from edgenn.runners import (
    FakeRunner,
    LiteRTReferenceRunner,
    LiteRTRunner,
    OnnxRuntimeRunner,
    default_runner,
    parts,
)
from edgenn.runners.child import Child
from edgenn.runners.protocol import Message
from edgenn.runtime import Session, TensorInfo

X = np.random.default_rng(2).normal(size=(5, 4, 4, 2)).astype(np.float32)
ENGINES = (LiteRTReferenceRunner, LiteRTRunner, OnnxRuntimeRunner)
WRITERS = {".tflite": write_tflite, ".onnx": write_onnx}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("batch", [None, 2])
def test_each_engine_runs_in_a_child(tmp_path, engine, batch):
    graph = conv_graph(batch)
    path = WRITERS[engine.suffix](graph, tmp_path)
    seen = []
    result = engine().run(path, {"x": X}, lambda *step: seen.append(step))
    expected = evaluate(graph, {"x": X})[graph.outputs["y"]]
    np.testing.assert_allclose(result.outputs["y"], expected, atol=1e-5)
    assert result.engine == engine.name
    assert result.version.split()[0] in ("ai-edge-litert", "tflite-runtime", "onnxruntime")
    assert result.latency_ms is not None and result.latency_ms > 0
    assert result.findings == ()
    assert seen == [(f"{path.name} on {engine.name}", 5, 5)]


def test_int8_in_the_reference_kernels_equals_the_graph(tmp_path):
    graph = int8_conv_graph()
    path = write_tflite(graph, tmp_path)
    result = LiteRTReferenceRunner().run(path, {"x": X * 20})
    session = Session(path)
    np.testing.assert_array_equal(result.outputs["y"], session.run(X * 20))


def test_several_inputs_and_outputs(tmp_path):
    path = write_tflite(two_input_graph(), tmp_path)
    column = np.arange(3, dtype=np.float32).reshape(3, 1, 1, 1)
    result = LiteRTRunner().run(path, {"left": column, "right": -column})
    np.testing.assert_array_equal(result.outputs["first"], column * 3)
    np.testing.assert_array_equal(result.outputs["second"], column * -2)


def test_samples_come_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "MESSAGE_BYTES", 2 * X[0].nbytes)
    path = write_tflite(conv_graph(), tmp_path)
    seen = []
    result = LiteRTRunner().run(path, {"x": X}, lambda *step: seen.append(step[1:]))
    assert seen == [(2, 5), (4, 5), (5, 5)]
    np.testing.assert_allclose(result.outputs["y"], Session(path).run(X), atol=1e-6)


def test_a_crash_of_the_engine_is_an_error_here(tmp_path):
    path = write_crashing_tflite(tmp_path)
    with pytest.raises(EngineError, match=r"engine crashed on this artifact: signal 11 \(SIGSEGV"):
        LiteRTRunner().run(path, {"x": X[:1]})


def test_whatever_is_in_a_file_the_runner_survives_it(tmp_path):
    """Bytes flipped at random: a result, or one clean error."""
    content = write_tflite(int8_conv_graph(), tmp_path).read_bytes()
    source = random.Random(6)
    ends = set()
    for _ in range(12):
        changed = bytearray(content)
        changed[source.randrange(8, len(content))] = source.randrange(256)
        path = tmp_path / "flipped.tflite"
        path.write_bytes(changed)
        try:
            LiteRTRunner(time_limit_s=60).run(path, {"x": X})
            ends.add("result")
        except EdgennError as error:
            ends.add(type(error).__name__)
    assert len(ends) > 1


def test_a_damaged_file(tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(b"rubbish")
    with pytest.raises(ArtifactError, match="less than 8 bytes"):
        LiteRTRunner().run(path, {"x": X})


def test_an_error_names_the_file_as_it_was_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    path = Path("folder", "damaged.tflite")
    path.write_bytes(b"no flatbuffer at all")
    with pytest.raises(ArtifactError) as error:
        LiteRTRunner().run(path, {"x": X})
    assert str(error.value).startswith(f"{path} is") and str(tmp_path) not in str(error.value)


def test_samples_that_do_not_fit_are_explained_by_the_child(tmp_path):
    path = write_tflite(conv_graph(), tmp_path)
    with pytest.raises(DataError, match="'x' must have shape"):
        LiteRTRunner().run(path, {"x": X[..., :1]})
    with pytest.raises(DataError, match=r"inputs are \['x'\]"):
        LiteRTRunner().run(path, {"z": X})


def test_checks_before_a_child_is_started(tmp_path):
    fake = FakeRunner()
    with pytest.raises(ArtifactError, match=r"fake runs \.tflite files"):
        fake.run(tmp_path / "net.onnx", {"x": X})
    with pytest.raises(ArtifactError, match="does not exist"):
        fake.run(tmp_path / "net.tflite", {"x": X})
    path = write_tflite(conv_graph(), tmp_path)
    with pytest.raises(DataError, match="one number of samples"):
        fake.run(path, {"x": X, "z": X[:2]})
    assert fake.artifacts == []


@pytest.fixture
def child_of(tmp_path, monkeypatch):
    """Starts a child that runs the given lines."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def start(script, time_limit_s=60):
        (tmp_path / "scripted_child.py").write_text(script)
        return Child("scripted_child", [], "net.tflite", time_limit_s)

    return start


def test_time_limit(child_of):
    with (
        child_of("import time; time.sleep(60)", time_limit_s=0.5) as child,
        pytest.raises(EngineError, match=r"net\.tflite: the engine gave no answer in 0\.5 s"),
    ):
        child.ask()


def test_time_limit_while_sending(child_of):
    with (
        child_of("import time; time.sleep(60)", time_limit_s=0.5) as child,
        pytest.raises(EngineError, match="no answer"),
    ):
        child.ask(Message(arrays={"x": np.zeros(1 << 20)}))


def test_reason_of_a_death_comes_from_stderr(child_of):
    script = "import sys; print('cup', 'out of coffee', sep='\\n', file=sys.stderr); sys.exit(9)"
    with (
        child_of(script) as child,
        pytest.raises(EngineError, match=r"exit code 9 \(cup \| out of coffee\)"),
    ):
        child.ask()


def test_death_within_an_answer(child_of):
    with (
        child_of("import os; os.write(1, b'123')") as child,
        pytest.raises(EngineError, match="exit code 0"),
    ):
        child.ask()


def test_fake_runner_computes_and_reports(tmp_path):
    path = write_tflite(conv_graph(), tmp_path)
    fake = FakeRunner(
        lambda inputs: {"y": inputs["x"] / 0},
        stderr="INFO: hello\nWARNING: fallback to CPU\nWARNING: fallback to CPU\n",
        latency_ms=2.5,
    )
    with np.errstate(all="ignore"):
        result = fake.run(path, {"x": X})
    assert result.latency_ms == 2.5
    assert result.warnings == ("WARNING: fallback to CPU",)
    assert result.findings == (f"output 'y': {X.size} of {X.size} values are NaN or infinite",)
    assert fake.artifacts == [path]


def test_fake_runner_fails_as_told(tmp_path):
    path = write_onnx(conv_graph(), tmp_path)
    fake = FakeRunner(suffix=".onnx", error=EngineError("signal 11"))
    with pytest.raises(EngineError, match="signal 11"):
        fake.run(path, {"x": X})


@pytest.mark.parametrize("engine", [LiteRTRunner, OnnxRuntimeRunner])
def test_default_runner_describes_its_artifact(tmp_path, engine):
    path = WRITERS[engine.suffix](conv_graph(), tmp_path)
    runner_ = default_runner(path)
    assert type(runner_) is engine
    inputs, outputs = runner_.describe(path)
    assert inputs == [TensorInfo("x", (None, 4, 4, 2), "float32")]
    assert outputs == [TensorInfo("y", (None, 4, 4, 3), "float32")]


def test_no_runner_for_other_files(tmp_path):
    with pytest.raises(ArtifactError, match=r"none of \.tflite, \.onnx, \.hls4ml"):
        default_runner(tmp_path / "net.keras")
