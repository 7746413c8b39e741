"""Embeddings: rows that nothing looks up. Real text goes through a published model."""

import keras
import numpy as np
import pytest
from bench import textgenrnn
from keras import layers
from support.real_models import real

from edgenn import api, compiler
from edgenn.audit.lookups import count_lookups, tables
from edgenn.audit.roles import real_inputs
from edgenn.data import Dataset
from edgenn.errors import DataError
from edgenn.progress import silent

RANDOM = np.random.default_rng(0)


def words_graph(dtype):
    model = keras.Sequential(
        [
            keras.Input((12,), dtype=dtype, name="words"),
            layers.Embedding(50, 8, name="embedding"),
            layers.GlobalMaxPooling1D(),
            layers.Dense(4, name="topic"),
        ]
    )
    return compiler.graph_of(model)


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_rows_are_counted(dtype):
    graph = words_graph(dtype)
    assert real_inputs(graph) == []
    words = RANDOM.integers(0, 20, (300, 12))
    counts = count_lookups(graph, Dataset({"words": words}), silent)
    np.testing.assert_array_equal(counts["embedding"], np.bincount(words.ravel(), minlength=50))


def test_rows_that_only_the_evaluation_data_use(run, found):
    graph = words_graph("int32")
    words, other = RANDOM.integers(0, 20, (300, 12)), RANDOM.integers(0, 20, (100, 12))
    other[:10] = 33
    unseen, only = found(run(graph, words, other), "embedding rows")[::-1]
    assert unseen.severity == "note" and unseen.share == 0.6 and "30 of 50 rows" in unseen.message
    assert only.severity == "warning" and only.share == pytest.approx(0.1)
    assert only.tensors == ("embedding",) and only.message.endswith(": 33")


def test_all_rows_used(run, found):
    words = np.arange(600).reshape(50, 12) % 50
    assert not found(run(words_graph("int32"), words), "embedding rows")


@pytest.mark.parametrize("bad", [-1, 50])
def test_a_row_that_is_not_there(run, bad):
    words = RANDOM.integers(0, 20, (300, 12))
    words[250, 3] = bad
    with pytest.raises(DataError, match=f"sample 250 looks up row {bad} of 'embedding'"):
        run(words_graph("int32"), words)


def test_a_model_without_embeddings(digits):
    assert tables(digits) == []
    assert real_inputs(digits) == ["image"]


def test_characters_of_real_titles(found):
    folder = real("textgenrnn")
    data = textgenrnn.load_data(folder)
    calibration, evaluation = data["calibration"][0], data["test"][0]
    report = api.audit(textgenrnn.build_model(folder), calibration, data=evaluation)
    rows = set(range(textgenrnn.CLASSES))
    own, other = set(calibration.ravel().astype(int)), set(evaluation.ravel().astype(int))
    findings = found(report, "embedding rows")
    assert {f.share for f in findings if "no calibration sample" in f.message} == {
        len(rows - own) / len(rows)
    }
    assert any(f"look up {len(other - own)} rows" in f.message for f in findings)
    assert not found(report, "constant") and not found(report, "scaling")
