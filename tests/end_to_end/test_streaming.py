"""Sequences step by step: from the command line and in Python, against whole sequences."""

import json

import keras
import numpy as np
import pytest
from keras import layers
from support.command_line import edgenn, refused, succeeded
from support.digits import ROOT

from edgenn import Session, check, convert

MODEL = ROOT / "models" / "pretrained" / "digits_gru.keras"
RECIPE = ROOT / "models" / "digits_gru.py"
SCHEMES = ("float32", "int8")
FILES = [f"digits_gru.{scheme}.{kind}" for scheme in SCHEMES for kind in ("tflite", "onnx")]
TOLERANCE = 1e-6
"""In float; full integers are the same to the bit."""


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A folder with bundles ``loop`` and ``step`` of the shipped GRU, and ``rows.npy``."""
    folder = tmp_path_factory.mktemp("gru")
    quantize = [word for scheme in SCHEMES for word in ("--quantize", scheme)]
    for form in ("loop", "step"):
        kept = ("--reference", RECIPE) if form == "step" else ()
        said = edgenn(
            "convert", MODEL, "-o", form, "--rnn", form, "--calibration", RECIPE, *quantize, *kept,
            cwd=folder,
        )  # fmt: skip
        succeeded(said)
    from edgenn.data.recipe import load_recipe

    rows, _ = load_recipe(RECIPE).load_data()["test"]
    np.save(folder / "rows.npy", rows[:60])
    return folder


def run(folder, file, output, *options):
    said = edgenn("run", file, "--input", "rows.npy", "--output", output, *options, cwd=folder)
    return succeeded(said), np.load(folder / output)


@pytest.mark.parametrize("file", FILES)
def test_chunks_give_what_the_loop_gives(digits, file):
    _, expected = run(digits, f"loop/{file}", "loop.npy")
    for options in ((), ("--stream", 1), ("--stream", 7), ("--stream", 100)):
        said, outputs = run(digits, f"step/{file}", "step.npy", *options)
        assert "ms a step" in said.stdout
        tolerance = 0 if file.endswith("int8.tflite") else TOLERANCE
        np.testing.assert_allclose(outputs, expected, rtol=0, atol=tolerance)


def test_the_manifest_says_how_steps_follow_each_other(digits):
    manifest = json.loads((digits / "step" / "manifest.json").read_text("utf-8"))
    for artifact in manifest["artifacts"]:
        assert artifact["recurrent"] == {"form": "step", "gates": "float32"}
        (state,) = artifact["states"]
        assert state == {
            "input": "gru/h",
            "output": "gru/h_next",
            "shape": [None, 48],
            "dtype": "float32",
            "initial": [0.0],
        }
        assert artifact["time_axes"] == {"inputs": {"rows": 1}, "outputs": {}}
        shapes = {info["name"]: info["shape"] for info in artifact["inputs"]}
        assert shapes == {"rows": [None, 1, 8], "gru/h": [None, 48]}
        assert [info["name"] for info in artifact["outputs"]] == ["digit", "gru/h_next"]


def test_check_runs_whole_sequences(digits):
    said = edgenn("check", "step", "--data", RECIPE, "--json", "drift.json", cwd=digits)
    succeeded(said)
    report = json.loads((digits / "drift.json").read_text("utf-8"))
    for rung in report["rungs"]:
        metrics = rung["metrics"]["digit"]
        assert metrics["max_abs"] <= (1e-5 if rung["scheme"] == "float32" else 0.15)
        assert metrics["accuracy"] >= 0.96
    assert {rung["artifact"] for rung in report["rungs"]} == set(FILES)


def test_an_artifact_of_whole_sequences_is_refused(digits):
    said = edgenn(
        "run", "loop/digits_gru.int8.tflite", "--input", "rows.npy", "--output", "y.npy",
        "--stream", 2, cwd=digits,
    )  # fmt: skip
    refused(said, 2, "digits_gru.int8.tflite runs whole sequences", "--rnn step")
    assert not (digits / "y.npy").exists()


def test_a_row_as_it_comes(digits):
    rows = np.load(digits / "rows.npy")
    whole = Session(digits / "loop" / "digits_gru.int8.tflite").run(rows[:1])
    with Session(digits / "step" / "digits_gru.int8.tflite").stream() as stream:
        for row in rows[0]:
            digit = stream.run(row[np.newaxis, np.newaxis])
    np.testing.assert_array_equal(digit, whole)


def test_what_cannot_run_step_by_step_is_refused(tmp_path):
    x = keras.Input((None, 4), name="x")
    model = keras.Model(x, layers.Bidirectional(layers.LSTM(3), name="both")(x))
    model.save(tmp_path / "both.keras")
    said = edgenn("convert", "both.keras", "-o", "out", "--rnn", "step", cwd=tmp_path)
    refused(said, 3, "both/backward_lstm", "--rnn loop")
    assert not (tmp_path / "out").exists()


# --- states that begin with something else than zero


class Leaky(keras.Layer):
    """A leaky sum that begins with ones, and a scale that nobody changes."""

    state_size = (4, 4)
    output_size = 4

    def get_initial_state(self, batch_size=None):
        scale = np.float32([0.1, 0.2, 0.3, 0.4]) * np.ones((batch_size, 1), np.float32)
        return [keras.ops.ones((batch_size, 4)), keras.ops.convert_to_tensor(scale)]

    def call(self, x, states):
        total, scale = states
        total = 0.5 * total + x * scale
        return total, [total, scale]


@pytest.mark.parametrize("rnn_precision", ["float32", "int16", "int8"])
def test_cells_that_begin_with_values(tmp_path, rnn_precision):
    x = keras.Input((None, 4), name="x")
    model = keras.Model(x, layers.RNN(Leaky(), return_sequences=True, name="leaky")(x))
    data = np.random.default_rng(4).normal(size=(9, 12, 4)).astype(np.float32)
    bundles = {
        rnn: convert(
            model, tmp_path / rnn, name="net", quantize=("float32", "int8"), calibration=data,
            rnn=rnn, rnn_precision=rnn_precision,
        )
        for rnn in ("loop", "step")
    }  # fmt: skip
    for name, artifact in bundles["step"].artifacts.items():
        assert [state.input for state in artifact.states] == ["leaky/state", "leaky/state_1"]
        assert all(len(state.initial) == 4 for state in artifact.states)
        expected = Session(bundles["loop"].file(name)).run(data)
        with Session(bundles["step"].file(name)).stream() as stream:
            parts = [stream.run(data[:, a:b]) for a, b in ((0, 1), (1, 6), (6, 12))]
        tolerance = 0 if name == "net.int8.tflite" else TOLERANCE
        result = np.concatenate(parts, axis=1)
        np.testing.assert_allclose(result, expected, rtol=0, atol=tolerance)


# --- stateful models


def stateful_model(batch, steps):
    keras.utils.set_random_seed(batch + (steps or 0))
    x = keras.Input(batch_shape=(batch, steps, 3), name="x")
    y = layers.GRU(16, stateful=True, return_sequences=True, name="gru")(x)
    y = layers.LSTM(24, stateful=True, return_sequences=True, name="lstm")(y)
    outputs = layers.TimeDistributed(layers.Dense(2), name="each")(y)
    return keras.Model(x, {"each": outputs, "last": layers.Dense(1)(outputs[:, -1])})


SEQUENCES = np.random.default_rng(8).normal(size=(7, 12, 3)).astype(np.float32)


@pytest.mark.parametrize("rnn_precision", ["auto", "int16"])
@pytest.mark.parametrize(("batch", "steps"), [(1, 1), (2, 4), (2, None)])
def test_a_stateful_model_becomes_a_step(tmp_path, batch, steps, rnn_precision):
    model = stateful_model(batch, steps)
    model.predict_on_batch(SEQUENCES[:batch, : steps or 5])  # which leaves states behind
    before = [keras.ops.convert_to_numpy(variable) for variable in model.variables]
    bundle = convert(
        model, tmp_path / "out", quantize=("float32", "int8"), calibration=SEQUENCES,
        reference=SEQUENCES, rnn_precision=rnn_precision,
    )  # fmt: skip
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), value)
    for artifact in bundle.manifest.artifacts:
        assert artifact.recurrent is not None and artifact.recurrent.form == "step"
        assert [state.shape for state in artifact.states] == [(batch, 16), (batch, 24), (batch, 24)]
        assert artifact.data_inputs == ["x"]
    for report in (check(bundle.path, SEQUENCES), check(bundle.path, SEQUENCES[:3], model=model)):
        for rung in report.rungs:
            assert rung.metrics is not None, rung.findings
            limit = 1e-6 if rung.scheme == "float32" else 0.02
            assert max(values["max_abs"] for values in rung.metrics.values()) <= limit


def test_keras_call_after_call(tmp_path):
    """What a stateful model gives call after call is what a stream gives."""
    model = stateful_model(1, 1)
    bundle = convert(model, tmp_path / "out", formats=("tflite",))
    (artifact,) = bundle.artifacts
    with Session(bundle.file(artifact)).stream() as stream:
        for now in range(12):
            step = SEQUENCES[:1, now : now + 1]
            expected, result = model.predict_on_batch(step), stream.run(step)
            for name in ("each", "last"):
                np.testing.assert_allclose(result[name], expected[name], atol=1e-6)


def test_sequences_that_are_no_multiple_of_the_models_steps(tmp_path):
    model = stateful_model(2, 4)
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", SEQUENCES[:, :10])
    succeeded(edgenn("convert", "model.keras", "-o", "out", cwd=tmp_path))
    said = edgenn("check", "out", "--data", "x.npy", cwd=tmp_path)
    refused(said, 2, "10 steps are no multiple of the model's 4")
    # the artifacts themselves take any number
    run_said = edgenn(
        "run", "out/model.float32.onnx", "--input", "x.npy", "--output", "y.npz", "--stream", 3,
        cwd=tmp_path,
    )  # fmt: skip
    succeeded(run_said)
    with np.load(tmp_path / "y.npz") as arrays:
        assert {name: array.shape for name, array in arrays.items()} == {
            "each": (7, 10, 2),
            "last": (7, 1),
        }
