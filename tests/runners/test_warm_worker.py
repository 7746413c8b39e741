"""One process serves many artifacts."""

import numpy as np
import pytest
from support.artifacts import conv_graph, int8_conv_graph, write_crashing_tflite, write_tflite

from edgenn.errors import ArtifactError, DataError, EngineError
from edgenn.runners import FakeRunner, LiteRTRunner

X = np.random.default_rng(2).normal(size=(5, 4, 4, 2)).astype(np.float32)


class Counting(LiteRTRunner):
    """Counts the processes that it starts."""

    starts = 0

    def start(self):
        self.starts += 1
        return super().start()


@pytest.fixture
def artifacts(tmp_path):
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
    graphs = (conv_graph(), int8_conv_graph())
    return [write_tflite(g, folder) for g, folder in zip(graphs, folders, strict=True)]


def test_one_process_serves_all_artifacts(artifacts):
    alone = [LiteRTRunner().run(path, {"x": X}).outputs["y"] for path in artifacts]
    with Counting() as runner:
        for _ in range(2):
            for path, expected in zip(artifacts, alone, strict=True):
                np.testing.assert_array_equal(runner.run(path, {"x": X}).outputs["y"], expected)
        assert runner.starts == 1
    runner.run(artifacts[0], {"x": X})
    assert runner.starts == 2


def test_an_error_does_not_end_it(artifacts):
    with Counting() as runner:
        with pytest.raises(DataError, match="shape"):
            runner.run(artifacts[0], {"x": X[..., :1]})
        assert runner.run(artifacts[0], {"x": X}).outputs
        assert runner.starts == 1


def test_after_a_crash_there_is_another(artifacts, tmp_path):
    crashing = write_crashing_tflite(tmp_path)
    with Counting() as runner:
        runner.run(artifacts[0], {"x": X})
        with pytest.raises(EngineError, match=r"signal 11"):
            runner.run(crashing, {"x": X[:1]})
        assert runner.run(artifacts[1], {"x": X}).outputs


def test_what_the_engine_said_belongs_to_its_artifact(tmp_path):
    path = tmp_path / "any.tflite"
    path.touch()
    runner = FakeRunner(stderr="WARNING: fallback\n")
    with runner:
        for _ in range(3):
            assert runner.run(path, {"x": X}).warnings == ("WARNING: fallback",)
    assert runner.starts == 1
    assert len(runner.artifacts) == 3


def test_an_artifact_that_is_opened_ahead(artifacts):
    expected = LiteRTRunner().run(artifacts[0], {"x": X}).outputs["y"]
    with Counting() as runner:
        runner.open_ahead(artifacts[0])
        assert runner.starts == 1
        runner.open_ahead(artifacts[1])  # the first one counts
        runner.settle()
        for path in (*artifacts, artifacts[0]):
            result = runner.run(path, {"x": X})
        np.testing.assert_array_equal(result.outputs["y"], expected)
        assert runner.starts == 1


def test_another_artifact_than_the_one_that_was_opened_ahead(artifacts):
    expected = LiteRTRunner().run(artifacts[1], {"x": X}).outputs["y"]
    with Counting() as runner:
        runner.open_ahead(artifacts[0])
        np.testing.assert_array_equal(runner.run(artifacts[1], {"x": X}).outputs["y"], expected)
        assert runner.starts == 1


def test_errors_of_what_was_opened_ahead_are_those_of_run(artifacts, tmp_path):
    path = tmp_path / "damaged.tflite"
    path.write_bytes(b"no flatbuffer at all")
    with Counting() as runner:
        runner.open_ahead(path)
        runner.settle()
        with pytest.raises(ArtifactError, match=r"damaged\.tflite"):
            runner.run(path, {"x": X})
        assert runner.run(artifacts[0], {"x": X}).outputs
        assert runner.starts == 1


def test_an_engine_that_dies_while_it_opens_ahead(tmp_path, artifacts, monkeypatch):
    (tmp_path / "dying.py").write_text("import os\ndef engine(path, options): os.abort()\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    class Dying(Counting):
        engine = "dying:engine"

    with Dying() as runner:
        runner.open_ahead(artifacts[0])
        runner.settle()
        for starts in (1, 2):
            with pytest.raises(EngineError, match=r"signal 6"):
                runner.run(artifacts[0], {"x": X})
            assert runner.starts == starts


def test_nothing_is_opened_ahead_where_it_cannot_be(tmp_path, artifacts):
    runner = Counting()
    runner.open_ahead(artifacts[0])  # no process is kept
    with runner:
        runner.open_ahead(tmp_path / "missing.tflite")
        assert runner.starts == 0
        runner.open_ahead(artifacts[0])
    assert runner.starts == 1
    runner.settle()
