import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.artifacts import (
    INPUT_SCALE,
    INPUT_ZERO_POINT,
    OUTPUT_SCALE,
    OUTPUT_ZERO_POINT,
    conv_graph,
    int8_conv_graph,
    two_input_graph,
    write_onnx,
    write_tflite,
)

from edgenn.errors import ArtifactError, DataError, UsageError
from edgenn.ir.evaluator import evaluate
from edgenn.ir.tensor import Quantization
from edgenn.runtime import Session, TensorInfo

X = np.random.default_rng(1).normal(size=(5, 4, 4, 2)).astype(np.float32)
WRITERS = {"tflite": write_tflite, "onnx": write_onnx}


@pytest.fixture(params=WRITERS)
def conv(request, tmp_path):
    """A session of the convolution with open batch, and what it must give."""
    graph = conv_graph()
    expected = evaluate(graph, {"x": X})[graph.outputs["y"]]
    return Session(WRITERS[request.param](graph, tmp_path)), expected


def test_any_batch_size_when_it_is_open(conv):
    session, expected = conv
    for count in (5, 1, 3, 5):
        np.testing.assert_allclose(session.run(X[:count]), expected[:count], atol=1e-5)


@pytest.mark.parametrize("batch", [1, 2, 5, 7])
@pytest.mark.parametrize("format_", WRITERS)
def test_any_batch_size_when_it_is_fixed(tmp_path, format_, batch):
    graph = conv_graph()
    expected = evaluate(graph, {"x": X})[graph.outputs["y"]]
    session = Session(WRITERS[format_](conv_graph(batch), tmp_path))
    assert session.batch == batch
    for count in (5, 1, 4):
        np.testing.assert_allclose(session.run(X[:count]), expected[:count], atol=1e-5)


def test_describes_inputs_and_outputs(conv):
    session, _ = conv
    assert session.inputs == (TensorInfo("x", (None, 4, 4, 2), "float32"),)
    assert session.outputs == (TensorInfo("y", (None, 4, 4, 3), "float32"),)
    assert session.batch is None
    assert session.engine in ("litert", "onnxruntime")
    assert session.engine_version.split()[1][0].isdigit()


def test_describes_quantisation(tmp_path):
    session = Session(write_tflite(int8_conv_graph(), tmp_path))
    expected = TensorInfo("x", (None, 4, 4, 2), "int8", INPUT_SCALE, INPUT_ZERO_POINT)
    assert session.inputs == (expected,)
    assert (session.outputs[0].scale, session.outputs[0].zero_point) == (
        OUTPUT_SCALE,
        OUTPUT_ZERO_POINT,
    )


def test_dict_and_positional_inputs_in_the_models_order(tmp_path):
    session = Session(write_tflite(two_input_graph(), tmp_path))
    assert [info.name for info in session.inputs] == ["right", "left"]
    right, left = (np.full((2, 1, 1, 1), value, np.float32) for value in (1, 10))
    for result in (session.run(right, left), session.run({"left": left, "right": right})):
        assert list(result) == ["second", "first"]
        np.testing.assert_array_equal(result["second"].ravel(), [2, 2])
        np.testing.assert_array_equal(result["first"].ravel(), [30, 30])


def test_several_inputs_of_fixed_batch(tmp_path):
    session = Session(write_tflite(two_input_graph(2), tmp_path))
    column = np.arange(5, dtype=np.float32).reshape(5, 1, 1, 1)
    result = session.run(column, column)
    np.testing.assert_array_equal(result["first"], column * 3)


@pytest.mark.parametrize("batch", [None, 1])
def test_int8_takes_and_gives_real_numbers(tmp_path, batch):
    session = Session(write_tflite(int8_conv_graph(batch), tmp_path))
    given = np.zeros((3, 4, 4, 2), np.float32)
    given[:, 0, 0] = [1.5, -2]
    result = session.run(given)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result[:, 0, 0], [[1.5, -2, -0.5]] * 3)


def test_raw_integers(tmp_path):
    session = Session(write_tflite(int8_conv_graph(), tmp_path))
    integers = np.full((1, 4, 4, 2), INPUT_ZERO_POINT + 4, np.int8)  # 2.0
    result = session.run(integers, raw=True)
    assert result.dtype == np.int8
    np.testing.assert_array_equal(
        result[0, 0, 0], np.array([2, 2, 4]) / OUTPUT_SCALE + OUTPUT_ZERO_POINT
    )
    with pytest.raises(DataError, match="must be int8 with raw=True, it is float32"):
        session.run(integers.astype(np.float32), raw=True)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(st.floats(-80, 80, width=32), min_size=32, max_size=32))
def test_quantises_as_the_graph_does(tmp_path_factory, values):
    """Ties included: the witness is the graph's own QUANTIZE, which LiteRT agrees with."""
    session = Session(write_tflite(int8_conv_graph(), tmp_path_factory.mktemp("q")))
    x = np.array(values, np.float32).reshape(1, 4, 4, 2)
    x.ravel()[:4] = [0.25, -0.25, 0.75, np.nextafter(np.float32(0.25), np.float32(0))]
    integers = Quantization.per_tensor(INPUT_SCALE, INPUT_ZERO_POINT).quantize(x, "int8")
    np.testing.assert_array_equal(session.run(x), session.run(session_real(integers)))
    raw = session.run(integers, raw=True)
    output = Quantization.per_tensor(OUTPUT_SCALE, OUTPUT_ZERO_POINT)
    np.testing.assert_array_equal(session.run(x), output.dequantize(raw))


def session_real(integers):
    return Quantization.per_tensor(INPUT_SCALE, INPUT_ZERO_POINT).dequantize(integers)


def test_results_are_the_callers_to_keep(tmp_path):
    session = Session(write_tflite(int8_conv_graph(), tmp_path))
    first = session.run(X[:1] * 10)
    kept = first.copy()
    session.run(-X[:1] * 10)
    np.testing.assert_array_equal(first, kept)


def test_numbers_of_other_kinds(conv):
    session, _ = conv
    integers = np.arange(32).reshape(1, 4, 4, 2)
    expected = session.run(integers.astype(np.float32))
    for dtype in (np.int64, np.uint8, np.float64, np.float16):
        np.testing.assert_array_equal(session.run(integers.astype(dtype)), expected)
    np.testing.assert_array_equal(session.run(integers.tolist()), expected)
    strided = np.asfortranarray(integers.astype(np.float32))
    np.testing.assert_array_equal(session.run(strided), expected)


@pytest.mark.parametrize(
    ("inputs", "problem"),
    [
        ((np.zeros((4, 4, 2)),), r"must have shape \(\?, 4, 4, 2\).*batch dimension is missing"),
        ((np.zeros((1, 4, 5, 2)),), r"'x' must have shape .* it has \(1, 4, 5, 2\)"),
        ((np.zeros((0, 4, 4, 2)),), "is empty"),
        ((np.array([["a"]]),), "must have shape"),
        ((np.full((1, 4, 4, 2), "a"),), "must be float32"),
        ((), r"1 input\(s\) \['x'\], 0 given"),
        ((X, X), "2 given"),
        (({"z": X},), r"inputs are \['x'\], given are \['z'\]"),
    ],
)
def test_inputs_that_do_not_fit(conv, inputs, problem):
    with pytest.raises(DataError, match=problem):
        conv[0].run(*inputs)


def test_nan_has_no_integer(tmp_path):
    session = Session(write_tflite(int8_conv_graph(), tmp_path))
    bad = np.zeros((1, 4, 4, 2), np.float32)
    bad[0, 1, 1, 1] = np.nan
    with pytest.raises(DataError, match="'x' holds NaN"):
        session.run(bad)
    bad[0, 1, 1, 1] = np.inf  # saturates
    assert np.isfinite(session.run(bad)).all()


def test_sample_counts_that_differ(tmp_path):
    for batch in (None, 1):
        session = Session(write_tflite(two_input_graph(batch), tmp_path))
        with pytest.raises(DataError, match=r"number of samples: .'right': 2, 'left': 3"):
            session.run(np.zeros((2, 1, 1, 1)), np.zeros((3, 1, 1, 1)))


def test_a_refused_input_leaves_the_session_usable(conv):
    session, expected = conv
    with pytest.raises(DataError):
        session.run(np.zeros((1, 1)))
    np.testing.assert_allclose(session.run(X), expected, atol=1e-5)


def test_reference_kernels(tmp_path):
    path = write_tflite(conv_graph(), tmp_path)
    session = Session(path, engine="litert-reference")
    assert session.engine == "litert-reference"
    np.testing.assert_allclose(session.run(X), Session(path).run(X), atol=1e-5)


def test_paths_that_are_no_artifacts(tmp_path):
    with pytest.raises(ArtifactError, match="does not exist"):
        Session(tmp_path / "net.tflite")
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(ArtifactError, match="is no file"):
        Session(tmp_path / "folder.onnx")
    with pytest.raises(ArtifactError, match=r"none of \.onnx, \.tflite"):
        Session(tmp_path / "net.keras")
    path = write_tflite(conv_graph(), tmp_path)
    with pytest.raises(UsageError, match=r"onnxruntime reads \.onnx"):
        Session(path, engine="onnxruntime")
    with pytest.raises(UsageError, match="no engine 'tpu'"):
        Session(path, engine="tpu")


def test_a_closed_session(conv):
    session, expected = conv
    with session:
        np.testing.assert_allclose(session.run(X), expected, atol=1e-5)
    session.close()  # again, without harm
    with pytest.raises(UsageError, match="session is closed"):
        session.run(X)
    assert "Session(" in repr(session)
