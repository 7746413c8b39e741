"""Streams: chunks of any lengths together give what the whole sequence does."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given, settings
from hypothesis import strategies as st
from support.artifacts import conv_graph, write_tflite
from support.recurrent import add_recurrent, recurrent_graph
from support.stepping import write_artifact

from edgenn.errors import ArtifactError, DataError, EngineError, UsageError
from edgenn.export.tflite.serialization import serialize
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.ops import FullyConnected, Gru, Lstm
from edgenn.lowering.recurrent.forms import Form
from edgenn.quantization.schemes import Gates, Scheme
from edgenn.runtime import Session, State
from edgenn.runtime.step_info import METADATA_KEY

BATCH, STEPS, FEATURES = 3, 12, 6
X = np.random.default_rng(5).normal(size=(BATCH, STEPS, FEATURES)).astype(np.float32)


def network(batch=None):
    """An LSTM, a dense layer at each step, a GRU; the sequence in between and the last state."""
    rng = np.random.default_rng(1)
    builder = GraphBuilder("net")
    x = builder.input("x", (batch, None, FEATURES))
    lower, *_ = add_recurrent(builder, Lstm(units=16), x, scope="lower")
    kernel = builder.constant("dense/kernel", rng.normal(size=(8, 16)).astype(np.float32))
    middle = builder.add(FullyConnected(), [lower, kernel], "dense")
    _, last = add_recurrent(builder, Gru(units=16), middle, scope="upper", seed=2)
    return builder.finish({"middle": middle, "last": last})


@dataclass(frozen=True)
class Kind:
    """An artifact, and how far a stream may be from a loop's artifact on the whole sequence."""

    format: str
    scheme: Scheme = Scheme.FLOAT32
    gates: Gates = Gates.FLOAT32
    tolerance: float = 1e-6

    def __str__(self):
        return f"{self.format} {self.scheme} {self.gates}"


KINDS = [
    Kind("tflite"),
    Kind("tflite", Scheme.FLOAT16),
    Kind("tflite", Scheme.DYNAMIC),
    Kind("tflite", Scheme.INT8, tolerance=0),
    Kind("tflite", Scheme.INT8, Gates.INT16, tolerance=0),
    Kind("tflite", Scheme.INT8, Gates.INT8, tolerance=0),
    Kind("tflite", Scheme.INT16X8, Gates.INT16, tolerance=0),
    Kind("onnx"),
    Kind("onnx", Scheme.DYNAMIC),
    Kind("onnx", Scheme.INT8),
]


@pytest.fixture(scope="module", params=KINDS, ids=str)
def compared(request, tmp_path_factory):
    """A session of one step, the loop's outputs on ``X`` by name, and the tolerance."""
    kind, folder = request.param, tmp_path_factory.mktemp("net")
    samples = {"x": X} if kind.scheme.is_full_integer else None
    rest = {"format_": kind.format, "scheme": kind.scheme, "gates": kind.gates, "samples": samples}
    loop = Session(write_artifact(network(), folder, form=Form.LOOP, **rest))
    step = Session(write_artifact(network(), folder, **rest))
    return step, loop.run(X), kind.tolerance


def assert_equal(pieces, expected, tolerance):
    middle = np.concatenate([piece["middle"] for piece in pieces], axis=1)
    np.testing.assert_allclose(middle, expected["middle"], rtol=0, atol=tolerance)
    np.testing.assert_allclose(pieces[-1]["last"], expected["last"], rtol=0, atol=tolerance)


def chunks(lengths):
    """``X`` cut at sums of the lengths, and what is left."""
    ends = [end for end in np.cumsum(lengths) if end < STEPS]
    return np.split(X, ends, axis=1)


@settings(max_examples=20, deadline=None)
@given(lengths=st.lists(st.integers(1, STEPS), max_size=STEPS))
def test_chunks_of_any_lengths(compared, lengths):
    session, expected, tolerance = compared
    with session.stream() as stream:
        assert_equal([stream.run(chunk) for chunk in chunks(lengths)], expected, tolerance)


def test_a_reset_begins_anew(compared):
    session, expected, tolerance = compared
    stream = session.stream()
    stream.run(X[:1, 3:7])
    stream.reset()
    assert_equal([stream.run(X)], expected, tolerance)


def test_streams_of_one_session_do_not_meet(compared):
    session, expected, tolerance = compared
    streams = [session.stream() for _ in range(BATCH)]
    together = session.stream()
    pieces = []
    for start in range(0, STEPS, 4):
        chunk = X[:, start : start + 4]
        own = [stream.run(chunk[i : i + 1]) for i, stream in enumerate(streams)]
        side_by_side = together.run(chunk)
        for name, array in side_by_side.items():
            single = np.concatenate([piece[name] for piece in own])
            np.testing.assert_allclose(single, array, rtol=0, atol=tolerance)
        pieces.append(side_by_side)
    assert_equal(pieces, expected, tolerance)


def test_raw_integers_in_and_out(compared):
    session, *_ = compared
    info = session.inputs[0]
    real, raw = session.stream(), session.stream()
    given = X
    if info.scale is not None:
        low, high = np.iinfo(info.dtype).min, np.iinfo(info.dtype).max
        given = np.random.default_rng(2).integers(low, high, X.shape, endpoint=True)
        given = given.astype(info.dtype)
    numbers = given
    if info.scale is not None:
        numbers = (given.astype(np.float32) - info.zero_point) * np.float32(info.scale)
    ours, theirs = raw.run(given, raw=True), real.run(numbers)
    for output in session.outputs[:2]:
        array = ours[output.name]
        assert array.dtype == output.dtype
        if output.scale is not None:
            array = (array.astype(np.float32) - output.zero_point) * np.float32(output.scale)
        np.testing.assert_array_equal(array, theirs[output.name])


def test_the_session_itself_runs_steps_with_states_given(compared):
    session, expected, tolerance = compared
    states = session.stream().states
    states = {name: np.repeat(state, BATCH, axis=0) for name, state in states.items()}
    pieces = []
    for now in range(STEPS):
        result = session.run({"x": X[:, now : now + 1], **states})
        states = {name: result[f"{name}_next"] for name in states}
        pieces.append(result)
    assert_equal(pieces, expected, tolerance)


def test_states_go_from_one_stream_to_another(compared):
    session, expected, tolerance = compared
    first, second = session.stream(), session.stream()
    pieces = [first.run(X[:, :5])]
    second.set_states(first.states)
    assert_equal([*pieces, second.run(X[:, 5:])], expected, tolerance)
    third = session.stream(first.states)
    assert_equal([*pieces, third.run(X[:, 5:])], expected, tolerance)
    third.reset()  # back to the states that it was opened with
    assert_equal([*pieces, third.run(X[:, 5:])], expected, tolerance)


def test_what_a_stream_knows(compared):
    session, *_ = compared
    stream = session.stream()
    names = ["lower/h", "lower/c", "upper/h"]
    assert [state.input for state in session.step.states] == names
    assert session.step.inputs == {"x": 1}
    assert session.step.outputs == {"middle": 1}
    assert stream.outputs == ["middle", "last"]
    assert {name: state.shape for name, state in stream.states.items()} == dict.fromkeys(
        names, (1, 16)
    )
    stream.run(X)
    assert all(state.shape == (BATCH, 16) for state in stream.states.values())
    assert all(state.dtype == np.float32 for state in stream.states.values())


# --- one float artifact, and what can go wrong


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_artifact(network(), tmp_path_factory.mktemp("float"))


@pytest.fixture
def session(path):
    return Session(path)


def test_one_output_comes_alone(tmp_path):
    graph = recurrent_graph(Lstm(units=4), features=FEATURES, outputs=("sequence",))
    stream = Session(write_artifact(graph, tmp_path)).stream()
    assert stream.run(X[:, :1]).shape == (BATCH, 1, 4)
    assert stream.run({"x": X[:, :2]}).shape == (BATCH, 2, 4)


@pytest.mark.parametrize(
    ("chunk", "problem", "hint"),
    [
        (X[:, 0], r"chunks of shape \(\?, \?, 6\), it has \(3, 6\)", "axis of time"),
        (X[:, :, :5], r"it has \(3, 12, 5\)", ""),
        (X[:, :0], "empty", ""),
        (X[:0], "empty", ""),
        (np.full((1, 1, FEATURES), "a"), "input 'x'", ""),
    ],
)
def test_chunks_that_do_not_fit(session, chunk, problem, hint):
    stream = session.stream()
    stream.run(X[:1, :1])
    before = stream.states
    with pytest.raises(DataError, match=problem) as caught:
        stream.run(chunk)
    assert hint in caught.value.hint
    for name, state in stream.states.items():
        np.testing.assert_array_equal(state, before[name])


def test_the_batch_stays_until_a_reset(session):
    stream = session.stream()
    stream.run(X)
    with pytest.raises(DataError, match=r"runs 3 sequence\(s\) side by side, the chunk has 2"):
        stream.run(X[:2])
    stream.reset()
    stream.run(X[:2])


def test_a_fixed_batch(tmp_path):
    stream = Session(write_artifact(network(2), tmp_path)).stream()
    assert stream.states["upper/h"].shape == (2, 16)
    stream.run(X[:2])
    with pytest.raises(DataError, match=r"shape \(2, \?, 6\), it has \(1, 12, 6\)"):
        stream.run(X[:1])


def test_names_of_inputs(session):
    stream = session.stream()
    with pytest.raises(DataError, match=r"\['x'\], given are \['y'\]"):
        stream.run({"y": X})
    with pytest.raises(DataError, match="set_states"):
        stream.run({"x": X, "upper/h": np.zeros((3, 16))})
    with pytest.raises(DataError, match="1 input"):
        stream.run(X, X)


@pytest.mark.parametrize(
    ("states", "problem"),
    [
        ({"nobody": np.zeros((1, 16))}, "no state 'nobody'"),
        ({"upper/h": np.zeros((1, 15))}, r"'upper/h' has shape \(\?, 16\), not \(1, 15\)"),
        ({"upper/h": np.zeros(16)}, "batch comes first"),
        ({"upper/h": np.zeros((2, 16)), "lower/h": np.zeros((3, 16))}, r"\[2, 3\] sequences"),
    ],
)
def test_states_that_do_not_fit(session, states, problem):
    with pytest.raises(DataError, match=problem):
        session.stream(states)
    stream = session.stream()
    with pytest.raises(DataError, match=problem):
        stream.set_states(states)


def test_states_of_another_batch(session):
    stream = session.stream()
    stream.run(X)
    with pytest.raises(DataError, match=r"\[2, 3\] sequences"):
        stream.set_states({"upper/h": np.zeros((2, 16))})


def test_a_closed_stream(session):
    with session.stream() as stream:
        other = session.stream()
    for use in (lambda: stream.run(X), stream.reset, lambda: stream.states):
        with pytest.raises(UsageError, match="stream is closed"):
            use()
    other.run(X)
    session.close()
    with pytest.raises(UsageError, match="session is closed"):
        other.run(X)
    assert session.step is not None


def test_an_artifact_of_whole_sequences_has_no_stream(tmp_path):
    whole = Session(write_artifact(network(), tmp_path, form=Form.LOOP))
    assert whole.step is None
    with pytest.raises(UsageError, match="whole sequences") as caught:
        whole.stream()
    assert "--rnn step" in caught.value.hint
    with pytest.raises(UsageError):
        Session(write_tflite(conv_graph(), tmp_path)).stream()


@pytest.mark.parametrize("format_", ["tflite", "onnx"])
def test_states_that_the_caller_gives(tmp_path, format_):
    graph = recurrent_graph(Lstm(units=4, initial=True), features=FEATURES, outputs=("sequence",))
    rng = np.random.default_rng(0)
    given = {name: rng.normal(size=(BATCH, 4)).astype(np.float32) for name in ("h0", "c0")}
    loop = Session(write_artifact(graph, tmp_path, form=Form.LOOP, format_=format_))
    session = Session(write_artifact(graph, tmp_path, format_=format_))
    assert session.step.states == (State("h0", "h0_next", None), State("c0", "c0_next", None))
    stream = session.stream(given)
    pieces = [stream.run(chunk) for chunk in chunks([1, 4])]
    np.testing.assert_allclose(
        np.concatenate(pieces, axis=1), loop.run({"x": X, **given}), atol=1e-6
    )
    unstarted = session.stream({"h0": given["h0"]})
    assert list(unstarted.states) == ["h0"]
    with pytest.raises(DataError, match=r"without the states \['c0'\]"):
        unstarted.run(X)
    unstarted.set_states({"c0": given["c0"]})
    np.testing.assert_array_equal(unstarted.run(X[:, :1]), pieces[0])


@pytest.mark.parametrize("format_", ["tflite", "onnx"])
def test_several_inputs_and_some_without_time(tmp_path, format_):
    builder = GraphBuilder("net")
    x = builder.input("x", (None, None, FEATURES))
    mask = builder.input("mask", (None, None), "bool")
    sequence, *_ = add_recurrent(builder, Lstm(units=4, masked=True), x, [mask])
    static = builder.input("static", (None, 1, 4))
    from edgenn.ir.ops import Add

    y = builder.add(Add(), [sequence, static], "y")
    graph = builder.finish({"y": y})
    loop = Session(write_artifact(graph, tmp_path, form=Form.LOOP, format_=format_))
    stream = Session(write_artifact(graph, tmp_path, format_=format_)).stream()
    keep = np.random.default_rng(1).random((BATCH, STEPS)) < 0.6
    offset = np.ones((BATCH, 1, 4), np.float32)
    expected = loop.run({"x": X, "mask": keep, "static": offset})
    pieces = [
        stream.run({"x": X[:, a:b], "mask": keep[:, a:b], "static": offset})
        for a, b in ((0, 1), (1, 8), (8, STEPS))
    ]
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), expected, atol=1e-6)
    with pytest.raises(DataError, match="number of steps"):
        stream.run({"x": X, "mask": keep[:, :2], "static": offset})
    with pytest.raises(DataError, match="number of samples"):
        stream.run({"x": X, "mask": keep[:1], "static": offset})


def test_an_engine_that_fails_leaves_the_states(session, monkeypatch):
    stream = session.stream()
    stream.run(X[:, :2])
    before = stream.states
    engine, calls = session._engine, []
    run = engine.run

    def failing(arrays):
        calls.append(arrays)
        if len(calls) == 3:
            raise EngineError("broken")
        return run(arrays)

    monkeypatch.setattr(engine, "run", failing)
    with pytest.raises(EngineError):
        stream.run(X[:, 2:8])
    for name, state in stream.states.items():
        np.testing.assert_array_equal(state, before[name])


# --- what the file says


def changed(path, content):
    """The file with another description of its steps."""
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    for entry in model.metadata:
        if entry.name.decode() == METADATA_KEY:
            model.buffers[entry.buffer].data = np.frombuffer(content, np.uint8)
    target = path.with_name("changed.tflite")
    target.write_bytes(serialize(model))
    return target


def test_the_file_says_what_its_states_are(path):
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    (content,) = (
        bytes(model.buffers[entry.buffer].data)
        for entry in model.metadata
        if entry.name.decode() == METADATA_KEY
    )
    said = json.loads(content)
    assert said["states"][0] == {
        "input": "lower/h",
        "output": "lower/h_next",
        "initial": [0.0],
    }
    assert said["inputs"] == {"x": 1}
    assert said["outputs"] == {"middle": 1}
    assert len(content) < 400


STATE = {"input": "upper/h", "output": "upper/h_next", "initial": [0.0]}
TIME = {"inputs": {"x": 1}, "outputs": {}}


@pytest.mark.parametrize(
    "said",
    [
        b"\xff\xfe",
        b"{",
        b"[]",
        {"states": [{**STATE, "input": "absent"}], **TIME},
        {"states": [{**STATE, "output": "absent"}], **TIME},
        {"states": [{**STATE, "output": "middle"}], **TIME},
        {"states": [{**STATE, "initial": [1.0, 2.0]}], **TIME},
        {"states": [{**STATE, "initial": 7}], **TIME},
        {"states": [STATE], "inputs": {"x": 3}, "outputs": {}},
        {"states": [STATE], "inputs": {"x": 2}, "outputs": {}},
        {"states": [STATE], "inputs": {"absent": 1}, "outputs": {}},
    ],
)
def test_a_description_that_does_not_fit(path, said):
    content = said if isinstance(said, bytes) else json.dumps(said).encode()
    with pytest.raises(ArtifactError, match="damaged"):
        Session(changed(path, content))
