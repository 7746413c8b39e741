"""Layers of another precision than the rest, on graphs: NumPy, LiteRT and ONNX Runtime agree."""

import keras
import numpy as np
import pytest
from support import litert, onnx_files

from edgenn import compiler
from edgenn.ir.evaluator import evaluate
from edgenn.ir.ops import Conv2D, FullyConnected
from edgenn.ir.precision import LayerPrecision, ops_in, with_precision
from edgenn.lowering.recurrent.forms import Form, lowered
from edgenn.plan import builds
from edgenn.quantization.equalization import Channels, balanced_tensors, equalize
from edgenn.quantization.schemes import Scheme
from edgenn.quantization.weights import to_dynamic, to_float16

layers = keras.layers
OPTIONS = compiler.QuantizationOptions()


@pytest.fixture(scope="module")
def cnn():
    """Convolutions with a sum and products that only 16 bits or floats keep apart."""
    keras.utils.set_random_seed(1)
    x = keras.Input((8, 8, 3), name="image")
    first = layers.Conv2D(16, 3, padding="same", activation="relu", name="first")(x)
    second = layers.Conv2D(16, 3, padding="same", name="second")(first)
    second = layers.BatchNormalization(beta_initializer="ones", name="norm")(second)
    y = layers.Add(name="sum")([first, second])
    y = layers.Activation("swish", name="swish")(y)
    y = layers.GlobalAveragePooling2D(name="pool")(y)
    y = layers.Dense(20, activation="tanh", name="dense")(y)
    return compiler.graph_of(keras.Model(x, layers.Dense(3, activation="softmax", name="class")(y)))


@pytest.fixture(scope="module")
def rnn():
    keras.utils.set_random_seed(2)
    x = keras.Input((6, 8), name="rows")
    y = layers.Dense(16, activation="relu", name="before")(x)
    y = layers.GRU(16, return_sequences=True, name="gru")(y)
    y = layers.LSTM(16, name="lstm")(y)
    return compiler.graph_of(keras.Model(x, layers.Dense(3, name="after")(y)))


def samples(graph, count=64):
    rng = np.random.default_rng(0)
    return {
        public: rng.normal(size=(count, *graph.tensors[name].shape[1:])).astype(np.float32)
        for public, name in graph.inputs.items()
    }


def converted(graph, scheme, precision, format_="tflite", rnn="loop", gates="auto"):
    (build,) = builds(graph, [scheme], [format_], rnn, gates, layers=precision)
    seen = compiler.calibrations(graph, samples(graph), [build], OPTIONS)
    return compiler.built(graph, build, seen, OPTIONS)


def stored(graph, real):
    """Real samples as the graph takes them."""
    tensors = {public: graph.tensors[name] for public, name in graph.inputs.items()}
    return {
        public: x
        if (q := tensors[public].quantization) is None
        else q.quantize(x, tensors[public].dtype)
        for public, x in real.items()
    }


def real_output(graph, values):
    (name,) = graph.outputs.values()
    quantization = graph.tensors[name].quantization
    return values if quantization is None else quantization.dequantize(values)


def dtypes_of(graph, kind):
    """Op → dtypes of its input, weights and output."""
    return {
        op.name: tuple(graph.tensors[n].dtype for n in (*op.inputs[:2], op.outputs[0]))
        for op in graph.ops
        if isinstance(op.operator, kind)
    }


WIDE = [("first",), ("second",), ("sum", "swish"), ("dense", "class"), ("first", "second", "sum")]


@pytest.mark.parametrize("wide", WIDE, ids="+".join)
def test_evaluation_of_mixed_integers_equals_litert_bit_for_bit(cnn, wide):
    graph = converted(cnn, Scheme.INT16X8, LayerPrecision(wide=wide))
    inputs = stored(graph, samples(cnn, 16))
    ours, theirs = evaluate(graph, inputs), litert.run(graph, inputs)
    for public, name in graph.outputs.items():
        assert len(np.unique(theirs[public])) > 1
        np.testing.assert_array_equal(ours[name], theirs[public])


KEPT = [("first",), ("norm",), ("sum", "swish"), ("class",), ("second", "dense")]


@pytest.mark.parametrize("kept", KEPT, ids="+".join)
def test_evaluation_with_float_layers_equals_litert(cnn, kept):
    graph = converted(cnn, Scheme.INT8, LayerPrecision(kept=kept))
    inputs = stored(graph, samples(cnn, 16))
    ours, theirs = evaluate(graph, inputs), litert.run(graph, inputs)
    for public, name in graph.outputs.items():
        assert len(np.unique(theirs[public])) > 1
        np.testing.assert_array_equal(ours[name], theirs[public])


@pytest.mark.parametrize("precision", [LayerPrecision(("second",)), LayerPrecision((), ("sum",))])
def test_onnx_runtime_gives_the_same_numbers(cnn, precision):
    scheme = Scheme.INT16X8 if precision.wide else Scheme.INT8
    graph = converted(cnn, scheme, precision, "onnx")
    inputs = stored(graph, samples(cnn, 16))
    (apart,) = onnx_files.steps_apart(graph, inputs).values()
    assert np.percentile(apart, 95) < 1.01
    assert apart.max() < 3


def test_only_the_layers_that_are_named_are_in_float(cnn):
    graph = converted(cnn, Scheme.INT8, LayerPrecision(kept=("second", "class")))
    convolutions = dtypes_of(graph, Conv2D)
    assert convolutions["first"] == ("int8", "int8", "int8")
    assert convolutions["norm/float"] == ("float32", "float32", "float32")
    dense = dtypes_of(graph, FullyConnected)
    assert dense["dense/fully_connected"] == ("int8", "int8", "int8")
    assert {key: value for key, value in dense.items() if "class" in key} == {
        "class/fully_connected/float": ("float32", "float32", "float32")
    }


def test_only_the_layers_that_are_named_have_16_bits(cnn):
    graph = converted(cnn, Scheme.INT16X8, LayerPrecision(wide=("second",)))
    assert dtypes_of(graph, Conv2D) == {
        "first": ("int8", "int8", "int8"),
        "norm": ("int16", "int8", "int16"),
    }
    assert [tensor.dtype for tensor in (*graph.input_tensors(), *graph.output_tensors())] == [
        "int8",
        "int8",
    ]


def test_layers_at_the_border_take_and_give_16_bits(cnn):
    graph = converted(cnn, Scheme.INT16X8, LayerPrecision(wide=("first", "class")))
    assert [tensor.dtype for tensor in (*graph.input_tensors(), *graph.output_tensors())] == [
        "int16",
        "int16",
    ]


def test_float_layers_in_a_row_hand_on_real_numbers(cnn):
    graph = converted(cnn, Scheme.INT8, LayerPrecision(kept=("first", "second", "sum")))
    assert [op.kind for op in graph.ops[:5]] == [
        "dequantize",
        "conv_2d",
        "conv_2d",
        "add",
        "quantize",
    ]


def test_weights_that_stay_in_float_are_the_models_own(cnn):
    """Bias correction and rounding leave them alone; balanced channels compute the same."""
    options = compiler.QuantizationOptions(equalization=False)
    (build,) = builds(
        cnn, [Scheme.INT8], ["tflite"], "auto", "auto", layers=LayerPrecision(("second", "dense"))
    )
    seen = compiler.calibrations(cnn, samples(cnn), [build], options)
    graph = compiler.built(cnn, build, seen, options)
    for name, source in (("norm", cnn.producers["norm"]), ("dense", None)):
        source = source or next(op for op in cnn.ops if op.name.startswith("dense/"))
        (kept,) = [op for op in graph.ops if op.name.startswith(f"{source.outputs[0]}/float")]
        for own, original in zip(kept.inputs[1:], source.inputs[1:], strict=True):
            np.testing.assert_array_equal(graph.tensors[own].data, cnn.tensors[original].data)
        assert name in kept.name


def test_channels_between_two_float_layers_are_not_balanced(cnn):
    x = keras.Input((8, 8, 3), name="image")
    y = layers.Conv2D(4, 1, activation="relu", name="a")(x)
    y = layers.Conv2D(4, 1, activation="relu", name="b")(y)
    graph = compiler.graph_of(keras.Model(x, layers.Conv2D(2, 1, name="c")(y)))
    assert balanced_tensors(graph) == {"a", "b"}
    assert balanced_tensors(with_precision(graph, LayerPrecision(kept=("a", "b")))) == {"b"}


def test_weights_in_float_cost_nothing_to_balance():
    """A float layer takes all of the balance that the tensor before it can use."""
    x = keras.Input((4, 4, 2), name="image")
    y = layers.Conv2D(2, 1, name="a")(x)
    graph = compiler.graph_of(keras.Model(x, layers.Conv2D(2, 1, name="b")(y)))
    seen = {"a": Channels(np.array([1.0, 0.01]), np.array([0.3, 3e-5]))}
    kept = with_precision(graph, LayerPrecision(kept=("b",)))
    factors = [equalize(each, seen).metadata["channel_factors"] for each in (graph, kept)]
    assert min(factors[1]["a"]) == pytest.approx(1 / 16)
    assert min(factors[1]["a"]) <= min(factors[0].get("a", [1]))


def test_weights_that_a_float_layer_shares_are_there_twice():
    x = keras.Input((6, 20), name="rows")
    shared = layers.Dense(20, name="shared")
    graph = compiler.graph_of(keras.Model(x, shared(shared(x))))
    result = converted(graph, Scheme.INT8, LayerPrecision(kept=("shared@2",)))
    assert dtypes_of(result, FullyConnected) == {
        "shared": ("int8", "int8", "int8"),
        "shared@2/float": ("float32", "float32", "float32"),
    }


@pytest.mark.parametrize("shrink", [to_dynamic, to_float16])
def test_schemes_of_small_weights_leave_them_alone(cnn, shrink):
    graph = shrink(with_precision(cnn, LayerPrecision(kept=("second",))))
    (kernel,) = [op.inputs[1] for op in graph.ops if op.name == "norm"]
    assert graph.tensors[kernel].dtype == "float32"
    assert graph.tensors[kernel].is_constant
    (other,) = [op.inputs[1] for op in graph.ops if op.name == "first"]
    np.testing.assert_equal(graph.tensors[other].is_constant, shrink is to_dynamic)


FORMS = [("loop", "auto"), ("unrolled", "int16"), ("unrolled", "int8"), ("step", "auto")]


@pytest.mark.parametrize(("form", "gates"), FORMS)
@pytest.mark.parametrize("kept", ["gru", "lstm"])
def test_recurrent_layers_in_float_in_every_form(rnn, kept, form, gates):
    """The layer that is kept has no integers but at its ends, wherever its ops went."""
    graph = converted(rnn, Scheme.INT8, LayerPrecision(kept=(kept,)), "tflite", form, gates)
    names = ops_in(graph, "float32")
    weights = [
        graph.tensors[name]
        for op in graph.ops
        if op.name in names
        for name in op.inputs
        if graph.tensors[name].is_constant and graph.tensors[name].shape[-1:] == (16,)
    ]
    assert weights
    assert {tensor.dtype for tensor in weights} == {"float32"}


@pytest.mark.parametrize(("form", "gates"), FORMS[:3])
def test_evaluation_of_float_recurrent_layers_equals_litert(rnn, form, gates):
    graph = converted(rnn, Scheme.INT8, LayerPrecision(kept=("gru",)), "tflite", form, gates)
    inputs = stored(graph, samples(rnn, 8))
    ours = evaluate(lowered(graph, Form.LOOP), inputs)
    theirs = litert.run(graph, inputs)
    for public, name in graph.outputs.items():
        scale = graph.tensors[name].quantization.scale[0]
        apart = real_output(graph, theirs[public]) - real_output(graph, ours[name])
        assert np.abs(apart).max() <= 1.01 * scale


@pytest.mark.parametrize(("wide", "gates"), [(("gru",), "auto"), (("gru", "lstm"), "auto")])
def test_recurrent_layers_in_16_bits_are_bit_exact(rnn, wide, gates):
    graph = converted(rnn, Scheme.INT16X8, LayerPrecision(wide=wide), "tflite", "loop", gates)
    scans = [op for op in graph.ops if op.kind == "scan"]
    cells = {
        op.name.split("/")[0]: {t.dtype for t in op.operator.cell.output_tensors()} for op in scans
    }
    assert cells["gru"] == {"int16"}
    assert cells["lstm"] == ({"int16"} if "lstm" in wide else {"float32"})
    inputs = stored(graph, samples(rnn, 8))
    ours, theirs = evaluate(lowered(graph, Form.LOOP), inputs), litert.run(graph, inputs)
    for public, name in graph.outputs.items():
        apart = np.abs(ours[name].astype(int) - theirs[public].astype(int))
        assert apart.max() <= (0 if len(wide) == 2 else 1)  # the other one's gates are in float


def test_a_float_recurrent_layer_is_an_island_among_integer_gates(rnn):
    """What follows it goes on in integers, as its target wants it."""
    graph = converted(
        rnn, Scheme.INT8, LayerPrecision(kept=("lstm",)), "tflite", "unrolled", "int16"
    )
    assert dtypes_of(graph, FullyConnected)["after"] == ("int8", "int8", "int8")


def test_without_exceptions_nothing_changes(cnn):
    assert with_precision(cnn, LayerPrecision()) is cnn
