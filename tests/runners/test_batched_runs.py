"""Some samples are timed one by one, the others come in batches, and nothing has to be kept."""

import textwrap

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
from support.recurrent import recurrent_graph
from support.stepping import write_artifact

from edgenn.errors import DataError, EngineError
from edgenn.ir.ops import Lstm
from edgenn.runners import (
    FakeRunner,
    LiteRTReferenceRunner,
    LiteRTRunner,
    OnnxRuntimeRunner,
    Runner,
    parts,
)
from edgenn.runners.batching import LARGEST_BATCH, batch_of

COUNT = 203
X = np.random.default_rng(2).normal(size=(COUNT, 4, 4, 2)).astype(np.float32)
ENGINES = (LiteRTReferenceRunner, LiteRTRunner, OnnxRuntimeRunner)
WRITERS = {".tflite": write_tflite, ".onnx": write_onnx}


class Kept:
    """A sink."""

    def __init__(self):
        self.parts = []

    def __call__(self, part):
        self.parts.append(dict(part))

    def __getitem__(self, name):
        return np.concatenate([part[name] for part in self.parts])


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(parts, "PART_BYTES", 32 * X[0].nbytes)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("batch", [None, 2])
@pytest.mark.parametrize("engine", ENGINES)
def test_batches_give_what_single_samples_give(tmp_path, engine, batch, workers):
    path = WRITERS[engine.suffix](conv_graph(batch), tmp_path)
    expected = engine().run(path, {"x": X})
    sink, seen = Kept(), []
    options = {"sink": sink, "timed": 10, "workers": workers}
    result = engine().run(path, {"x": X}, lambda *step: seen.append(step[1:]), **options)
    assert len(sink.parts) > 2
    np.testing.assert_allclose(sink["y"], expected.outputs["y"], rtol=0, atol=2e-6)
    assert result.outputs == {}
    assert len(result.latencies_ms) == 10 // (batch or 1)
    assert result.latency_ms is not None and result.latency_ms > 0
    assert result.facts.first_run_ms == result.latencies_ms[0]
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert seen[-1] == (COUNT, COUNT)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("engine", [LiteRTReferenceRunner, LiteRTRunner])
def test_integers_are_equal_bit_for_bit(tmp_path, engine):
    path = write_tflite(int8_conv_graph(), tmp_path)
    expected = engine().run(path, {"x": X * 20}).outputs["y"]
    assert len(np.unique(expected)) > 50
    for workers in (1, 2):
        sink = Kept()
        engine().run(path, {"x": X * 20}, sink=sink, timed=5, workers=workers)
        np.testing.assert_array_equal(sink["y"], expected)


@pytest.mark.parametrize("timed", [0, 1, COUNT, COUNT + 1, None])
def test_any_number_of_samples_is_timed(tmp_path, timed):
    path = write_tflite(conv_graph(), tmp_path)
    result = LiteRTRunner().run(path, {"x": X}, timed=timed)
    assert result.outputs["y"].shape == (COUNT, 4, 4, 3)
    assert len(result.latencies_ms) == (COUNT if timed is None else min(max(timed, 1), COUNT))


def test_several_inputs_and_outputs(tmp_path):
    path = write_tflite(two_input_graph(), tmp_path)
    column = np.arange(COUNT, dtype=np.float32).reshape(-1, 1, 1, 1)
    sink = Kept()
    LiteRTRunner().run(path, {"left": column, "right": -column}, sink=sink, timed=3, workers=2)
    np.testing.assert_array_equal(sink["first"], column * 3)
    np.testing.assert_array_equal(sink["second"], column * -2)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("batch", [None, 4])
def test_sequences_side_by_side(tmp_path, batch, workers):
    graph = recurrent_graph(Lstm(units=4), batch=batch, outputs=("sequence", "h"))
    step = write_artifact(graph, tmp_path)
    x = np.random.default_rng(0).normal(size=(COUNT, 7, 3)).astype(np.float32)
    expected = LiteRTRunner().run(step, {"x": x})
    sink = Kept()
    result = LiteRTRunner().run(step, {"x": x}, sink=sink, timed=5, workers=workers)
    for name in ("sequence", "h"):
        np.testing.assert_allclose(sink[name], expected.outputs[name], rtol=0, atol=1e-6)
    assert result.step_latency_ms is not None


def test_an_array_that_is_mapped(tmp_path):
    path = write_tflite(conv_graph(), tmp_path)
    np.save(tmp_path / "x.npy", X)
    sink = Kept()
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    LiteRTRunner().run(path, {"x": mapped}, sink=sink, timed=5)
    np.testing.assert_allclose(
        sink["y"], LiteRTRunner().run(path, {"x": X}).outputs["y"], atol=2e-6
    )


ODD = """
    import os, time
    from pathlib import Path

    import numpy as np
    from edgenn.errors import EngineError
    from edgenn.runtime.tensor_info import TensorInfo


    class Engine:
        name, version, step = "odd", "odd 1", None
        inputs = (TensorInfo("x", (None, 2), "float32"),)
        outputs = (TensorInfo("y", (None, 2), "float32"),)

        def __init__(self, path, options):
            self.how, self.log = options["how"], Path(options["log"])

        def reshape(self, shapes):
            if self.how == "refuses" and shapes[0][0] > 1:
                raise EngineError("a shape within is fixed")

        def run(self, arrays):
            (x,) = arrays
            with self.log.open("a") as log:
                log.write(f"{len(x)}\\n")
            if self.how == "dies" and len(x) > 1:
                os.kill(os.getpid(), 11)
            if self.how == "dies later" and (x > 150).any():
                os.kill(os.getpid(), 11)
            if self.how == "hangs later" and (x > 150).any():
                time.sleep(60)
            if self.how == "mixes":
                return [x - x.mean(0)]
            if self.how == "nearly":
                return [x * np.float32(1 + 1e-7 * (len(x) > 1))]
            if self.how == "NaN":
                return [np.where(x > 150, np.nan, x).astype(np.float32)]
            return [x + 0]
"""
ROWS = np.repeat(np.arange(COUNT, dtype=np.float32)[:, None], 2, axis=1)


class OddRunner(Runner):
    name, suffix, engine = "odd", ".odd", "odd_engine:Engine"
    shares = True


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """Runs an engine with a peculiarity; gives the sink, the sizes of its batches, the result."""
    (tmp_path / "odd_engine.py").write_text(textwrap.dedent(ODD))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(parts, "PART_BYTES", 32 * ROWS[0].nbytes)
    path, log = tmp_path / "net.odd", tmp_path / "sizes"
    path.touch()

    def run(how, kind=OddRunner, sink=None, time_limit_s=60, **options):
        sink = Kept() if sink is None else sink
        log.write_text("")
        runner = kind({"how": how, "log": str(log)}, time_limit_s=time_limit_s)
        result = runner.run(path, {"x": ROWS}, sink=sink, **{"timed": 10, **options})
        return sink, [int(line) for line in log.read_text().split()], result

    return run


def test_timed_samples_come_alone_and_the_others_in_batches(odd):
    sink, sizes, _ = odd("as it should")
    np.testing.assert_array_equal(sink["y"], ROWS)
    # ten alone, the same ten in a batch, and the others
    assert sizes == [1] * 10 + [10] + [32] * 6 + [1]


def test_an_engine_may_say_that_it_wants_no_batches(odd):
    class Single(OddRunner):
        batches = False

    sink, sizes, _ = odd("as it should", Single)
    np.testing.assert_array_equal(sink["y"], ROWS)
    assert sizes == [1] * COUNT


@pytest.mark.parametrize("how", ["mixes", "refuses"])
def test_what_does_not_go_in_batches_comes_one_by_one(odd, how):
    sink, sizes, _ = odd(how)
    np.testing.assert_array_equal(sink["y"], ROWS * (how != "mixes"))
    assert max(sizes[11:]) == 1


def test_an_engine_that_dies_of_a_batch_is_not_to_blame(odd):
    sink, sizes, result = odd("dies")
    np.testing.assert_array_equal(sink["y"], ROWS)
    assert sizes == [1] * 10 + [10] + [1] * COUNT
    assert len(result.latencies_ms) == 10


def test_sums_in_another_order_are_no_other_numbers(odd):
    sink, sizes, _ = odd("nearly")
    np.testing.assert_allclose(sink["y"], ROWS, rtol=1e-6)
    assert sizes[11] == 32


def test_one_sample_says_nothing_of_batches(odd):
    _, sizes, _ = odd("as it should", timed=1)
    assert sizes == [1] * COUNT


def test_what_is_no_number_is_counted_on_the_way(odd):
    _, _, result = odd("NaN", workers=2)
    assert result.findings == ("output 'y': 104 of 406 values are NaN or infinite",)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_crash_behind_the_timed_samples(odd, workers):
    sink = Kept()
    with pytest.raises(EngineError, match=r"signal 11"):
        odd("dies later", sink=sink, workers=workers)
    given = sink["y"]
    np.testing.assert_array_equal(given, ROWS[: len(given)])
    assert 10 <= len(given) <= 151


def test_a_time_limit_behind_the_timed_samples(odd):
    with pytest.raises(EngineError, match="no answer in 2 s"):
        odd("hangs later", time_limit_s=2)


def test_a_sink_that_fails_ends_the_run(odd):
    def sink(part):
        raise DataError("no more")

    with pytest.raises(DataError, match="no more"):
        odd("as it should", sink=sink)


def test_a_warm_child_goes_on_after_a_sink_that_failed(tmp_path):
    path = write_tflite(conv_graph(), tmp_path)
    taken = []

    def sink(part):
        taken.append(part)
        if len(taken) == 2:
            raise DataError("no more")

    with LiteRTRunner() as runner:
        expected = runner.run(path, {"x": X}).outputs["y"]
        with pytest.raises(DataError, match="no more"):
            runner.run(path, {"x": X}, sink=sink, timed=5)
        np.testing.assert_array_equal(runner.run(path, {"x": X}).outputs["y"], expected)


def test_a_crash_in_all_batches_and_alone(tmp_path):
    path = write_crashing_tflite(tmp_path)
    with pytest.raises(EngineError, match=r"signal 11 \(SIGSEGV"):
        LiteRTRunner().run(path, {"x": X}, timed=5, workers=2)


def test_a_fake_runner_has_a_sink_too(tmp_path):
    path = tmp_path / "any.tflite"
    path.touch()
    sink = Kept()
    result = FakeRunner().run(path, {"x": X}, sink=sink, timed=7, workers=2)
    np.testing.assert_array_equal(sink["x"], X)
    assert result.latencies_ms == (1.0,) * 7


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((100, 8, 8, 1), LARGEST_BATCH), ((100, 32, 32, 3), 16), ((3, 224, 224, 3), 1), ((2, 0), 32)],
)
def test_a_batch_is_as_large_as_pays_off(shape, expected):
    assert batch_of({"x": np.zeros(shape, np.float32)}) == expected


def test_equal_is_equal_but_for_the_order_of_sums():
    x = np.array([1.0, -2.0, np.nan, np.inf], np.float32)
    assert parts.same(x, x.copy())
    assert parts.same(x, x + np.float32(1e-6))
    assert not parts.same(x, x + np.float32(1e-5))
    assert not parts.same(x, np.nan_to_num(x))
    assert not parts.same(x, x[:3])
    integers = np.array([1, 2], np.int8)
    assert parts.same(integers, integers.copy())
    assert not parts.same(integers, integers + np.int8(1))
    assert not parts.same(integers, integers.astype(np.int16))
