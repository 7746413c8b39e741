"""Arm's reference model of TOSA against LiteRT's reference kernels, and what it refuses."""

import keras
import numpy as np
import pytest
from support.artifacts import conv_graph, int8_conv_graph, two_input_graph, write_tflite
from support.digits import MODEL, RECIPE
from support.npu import one_input, softmax_file, spread_logits
from support.real_models import REAL_MODELS, real

import edgenn
from edgenn.data import load as load_samples
from edgenn.errors import ArtifactError, UnavailableError, UnsupportedError
from edgenn.ir.ops import Abs, Exp, Logistic, LogSoftmax, Pad, Tanh
from edgenn.runners import LiteRTReferenceRunner
from edgenn.runners.tosa_reference import TosaReferenceRunner, refusal
from edgenn.runners.tosa_text import mended, ports, unconverted

CURVATURE = {"logistic": 0.0963, "tanh": 0.7699}
"""The largest second derivative of a gate."""

SEGMENT = 128
"""Integers between two entries of TOSA's tables for int16, which it interpolates."""

TEXT = """\
  func.func @main(%arg0: tensor<1x3xi16> {tf_saved_model.index_path = ["right"]} loc("main"(#loc)),\
 %arg1: tensor<1x3xi16> {tf_saved_model.index_path = ["left"]} loc("main"(#loc)))\
 -> (tensor<1x3xi16> {tf_saved_model.index_path = ["y"]}) attributes {tf.entry_function = {}} {
    %8 = "tosa.const"() <{values = dense<"0x05"> : tensor<1x3xi1>}> : () -> tensor<1x3xi1>
    %9 = tosa.rescale %arg0, %1, %2, %3, %4 {scale32 = true} : (tensor<1x3xi8>, tensor<1xi32>,\
 tensor<1xi8>, tensor<1xi8>, tensor<1xi32>) -> tensor<1x3xi32> loc(#loc3)
    %10 = tosa.rescale %arg0, %1, %2, %3, %4 {scale32 = true} : (tensor<1x3xi8>, tensor<1xi32>,\
 tensor<1xi8>, tensor<1xi8>, tensor<1xi32>) -> tensor<1x3xi32> loc(#loc4)
    %21 = tosa.cast %20 : (tensor<1x3xi32>) -> tensor<1x3xi16> loc(#loc4)
    %22 = tosa.cast %20 : (tensor<1x3xi32>) -> tensor<1x3xi8> loc(#loc4)
    %23 = "tfl.no_value"() {value} : () -> none loc(#loc4)
    %24 = "tfl.log_softmax"(%22) : (tensor<1x3xi8>) -> tensor<1x3xi8> loc(#loc5)
#loc3 = loc("mish/int32"(#loc))
#loc4 = loc("sum"(#loc))
#loc5 = loc("log"(#loc))
"""
"""Lines of what tosa-converter-for-tflite 2026.2.0 writes."""


def model() -> TosaReferenceRunner:
    runner = TosaReferenceRunner()
    try:
        runner.require_available()
    except UnavailableError as error:
        pytest.skip(str(error))
    return runner


@pytest.fixture(scope="module")
def runner():
    with model() as opened:
        yield opened


def both(runner, path, samples):
    """Outputs of the model, and of LiteRT's reference kernels."""
    return tuple(r.run(path, samples).outputs for r in (runner, LiteRTReferenceRunner()))


def assert_equal(runner, path, samples):
    ours, theirs = both(runner, path, samples)
    assert ours.keys() == theirs.keys()
    for name, mine in ours.items():
        np.testing.assert_array_equal(mine, theirs[name])


def test_int8_equals_the_reference_kernels(tmp_path, runner):
    x = np.random.default_rng(2).normal(0, 20, (50, 4, 4, 2)).astype(np.float32)
    assert_equal(runner, write_tflite(int8_conv_graph(1), tmp_path), {"x": x})


def test_floats_run_as_well(tmp_path, runner):
    x = np.random.default_rng(2).normal(size=(3, 4, 4, 2)).astype(np.float32)
    ours, theirs = both(runner, write_tflite(conv_graph(1), tmp_path), {"x": x})
    np.testing.assert_allclose(ours["y"], theirs["y"], atol=1e-5)


def test_a_batch_that_is_fixed_is_run_as_a_whole(tmp_path, runner):
    x = np.random.default_rng(2).normal(size=(5, 4, 4, 2)).astype(np.float32)
    ours, theirs = both(runner, write_tflite(conv_graph(2), tmp_path), {"x": x})
    np.testing.assert_allclose(ours["y"], theirs["y"], atol=1e-5)


def test_several_inputs_and_outputs_go_by_name(tmp_path, runner):
    path = write_tflite(two_input_graph(1), tmp_path)
    column = np.arange(1, 4, dtype=np.float32).reshape(3, 1, 1, 1)
    result = runner.run(path, {"left": column, "right": -column})
    np.testing.assert_array_equal(result.outputs["first"], column * 3)
    np.testing.assert_array_equal(result.outputs["second"], column * -2)
    assert "tosa-tools" in result.version and "tosa-converter-for-tflite" in result.version


@pytest.mark.parametrize(("dtype", "scale"), [("int8", 0.3), ("int16", 5e-4), ("int16", 5e-5)])
def test_softmax_of_logits_far_apart(tmp_path, runner, dtype, scale):
    path = softmax_file(tmp_path, dtype, scale)
    assert_equal(runner, path, {"x": spread_logits(scale, dtype)})


@pytest.mark.parametrize("operator", [Logistic(), Tanh()], ids=lambda op: op.kind)
@pytest.mark.parametrize(("dtype", "scale"), [("int8", 0.05), ("int16", 2e-4), ("int16", 1e-3)])
def test_gates_of_16_bits_differ_by_their_interpolation(tmp_path, runner, operator, dtype, scale):
    path = write_tflite(one_input(operator, 1, 64, dtype=dtype, scale=scale), tmp_path)
    ours, theirs = both(runner, path, {"x": spread_logits(scale, dtype, 64)})
    difference = np.abs(ours["y0"] - theirs["y0"]).max()
    if dtype == "int8":
        assert difference == 0
    else:  # the error of a chord, roundings, and that of LiteRT's own table
        chord = (SEGMENT * scale) ** 2 / 8 * CURVATURE[operator.kind]
        assert 0 < difference <= chord + 5 / 32768


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_tables_of_functions(tmp_path, runner, dtype):
    path = write_tflite(one_input(Exp(), 1, 64, dtype=dtype, scale=1e-4), tmp_path)
    assert_equal(runner, path, {"x": spread_logits(1e-4, dtype, 64)})


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_padding_with_a_number(tmp_path, runner, dtype):
    pad = Pad(((0, 0), (1, 1), (2, 0), (0, 0)), 0.1)
    path = write_tflite(one_input(pad, 1, 4, 4, 2, dtype=dtype), tmp_path)
    x = np.random.default_rng(2).normal(size=(3, 4, 4, 2)).astype(np.float32)
    assert_equal(runner, path, {"x": x})


def test_digits_are_equal_in_integers(tmp_path, runner):
    bundle = edgenn.convert(
        MODEL,
        tmp_path / "bundle",
        targets=["ethos-u55-128"],
        quantize=["int8", "int16x8"],
        calibration=RECIPE,
    )
    samples = load_samples(RECIPE, ["image"], split="test").inputs
    some = {name: array[:40] for name, array in samples.items()}
    for artifact in bundle.manifest.artifacts:
        assert_equal(runner, bundle.file(artifact.file), some)


def softplus():
    inputs = keras.Input((6, 4), name="x")
    hidden = keras.layers.Dense(5, activation="softplus")(inputs)
    return keras.Model(inputs, keras.layers.Dense(3)(hidden)), 0


def masked_lstm():
    inputs = keras.Input((6, 4), name="x")
    masked = keras.layers.Masking()(inputs)
    return keras.Model(inputs, keras.layers.LSTM(5)(masked)), 2


@pytest.mark.parametrize("build", [softplus, masked_lstm])
def test_tables_of_numbers_and_of_bools(tmp_path, runner, build):
    keras.utils.set_random_seed(0)
    model, most_steps = build()
    samples = np.random.default_rng(1).normal(size=(30, 6, 4)).astype(np.float32)
    samples[:, 4:] = 0
    bundle = edgenn.convert(
        model, tmp_path / "bundle", targets=["ethos-u55-128"], quantize=["int8"],
        calibration=samples,
    )  # fmt: skip
    (artifact,) = bundle.manifest.artifacts
    ours, theirs = both(runner, bundle.file(artifact.file), {"x": samples})
    (name,) = ours
    steps = np.diff(np.unique(theirs[name])).min()
    assert np.abs(ours[name] - theirs[name]).max() <= most_steps * steps * 1.001


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["int8", "int16x8"])
@pytest.mark.parametrize("name", REAL_MODELS)
def test_real_cnns_are_equal_in_integers(tmp_path, runner, name, scheme):
    entry = REAL_MODELS[name]
    bundle = edgenn.convert(
        real(entry.file),
        tmp_path / "bundle",
        targets=["ethos-u55-128"],
        quantize=[scheme],
        calibration=entry.calibration(),
    )
    (artifact,) = bundle.manifest.artifacts
    path = bundle.file(artifact.file)
    assert_equal(runner, path, {artifact.inputs[0].name: entry.evaluation()[:20]})


def test_an_op_that_the_converter_leaves(tmp_path, runner):
    path = write_tflite(one_input(LogSoftmax(), 1, 6), tmp_path)
    with pytest.raises(UnsupportedError, match=r"net.tflite: .* nothing for LOG_SOFTMAX \(y0\)$"):
        runner.run(path, {"x": np.zeros((1, 6), np.float32)})


def test_an_op_that_the_model_has_not_for_a_type(tmp_path, runner):
    path = write_tflite(one_input(Abs(), 1, 6, dtype="int16"), tmp_path)
    with pytest.raises(UnsupportedError, match="refuses it: no ABS of INT16"):
        runner.run(path, {"x": np.zeros((1, 6), np.float32)})
    # the process ended over it; the next file has another
    test_int8_equals_the_reference_kernels(tmp_path, runner)


def test_open_shapes(tmp_path, runner):
    path = write_tflite(int8_conv_graph(), tmp_path)
    with pytest.raises(UnsupportedError, match=r"fixed shapes, 'x'") as error:
        runner.describe(path)
    assert error.value.hint == "convert with --batch 1"


def test_a_damaged_file(tmp_path, runner):
    path = write_tflite(int8_conv_graph(1), tmp_path)
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(ArtifactError):
        runner.describe(path)


def test_nothing_is_written_beside_the_artifact(tmp_path, runner):
    path = write_tflite(int8_conv_graph(1), tmp_path)
    runner.describe(path)
    assert list(tmp_path.iterdir()) == [path]


def test_ports_are_named_as_in_the_signature():
    assert ports(TEXT) == (["right", "left"], ["y"])


def test_ops_that_are_left():
    assert unconverted(TEXT) == {"LOG_SOFTMAX": "log"}


def test_what_is_mended():
    before, after = TEXT.splitlines(), mended(TEXT, {"mish/int32"}).splitlines()
    new = [line.strip() for line in after if line not in before]
    assert new[0] == (
        '%8 = "tosa.const"() <{values = dense<"0x010001"> : tensor<1x3xi1>}> : () -> tensor<1x3xi1>'
    )
    assert new[1] == ("%9 = tosa.cast %arg0 : (tensor<1x3xi8>) -> tensor<1x3xi32> loc(#loc3)")
    assert new[-1] == (
        "%21 = tosa.cast %minimum_21 : (tensor<1x3xi32>) -> tensor<1x3xi16> loc(#loc4)"
    )
    assert len(new) == 7  # among them two bounds and what keeps to them
    assert [line for line in before if line not in after] == [before[index] for index in (1, 2, 4)]


def test_last_words():
    assert refusal("OpFactory could not allocate op      ABS input=(INT16 rank 4) -> (INT16)") == (
        "no ABS of INT16 rank 4"
    )
    assert refusal("ERROR_IF() fails\nOpTable: Unexpected output type\nNode type: TABLE") == (
        "Table: Unexpected output type"
    )
    assert refusal("Attaching debugger to pid 7") is None
