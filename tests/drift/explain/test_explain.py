"""The right layer is named, and none where nothing is wrong; LiteRT gives the numbers."""

import keras
import numpy as np
import pytest
from support import faults
from support.explained import converted, converted_graph, data_of
from support.real_models import REAL_MODELS, real

from edgenn import compiler
from edgenn.drift.explain.excess import LIMIT
from edgenn.drift.explain.explain import explain_artifact, explained
from edgenn.frontend.loading import load_model
from edgenn.ir.operator import Activation

HEALTHY = [
    ("digits_cnn", "int8"),
    ("digits_cnn", "int16x8"),
    ("digits_cnn", "dynamic"),
    ("digits_cnn", "float16"),
    ("digits_cnn", "float32"),
    ("digits_gru", "int8"),
    ("digits_gru", "int8", "int8"),
    ("digits_gru", "int8", "int16"),
    ("digits_gru", "int8", "float32", "unrolled"),
    ("digits_gru", "int16x8"),
    ("digits_cnn", "int8", "float32", "loop", "tflite", "micro"),
    ("digits_gru", "int8", "int16", "loop", "tflite", "micro"),
    ("digits_gru", "int8", "int16", "unrolled", "tflite", "ethos-u"),
    ("digits_gru", "dynamic"),
    ("digits_gru", "float16"),
    ("digits_gru", "float32"),
]


def names(case):
    return "-".join(case)


@pytest.mark.parametrize("case", HEALTHY, ids=names)
def test_a_healthy_file_has_no_layer_at_fault(case):
    found = converted(*case).study()
    worst = {layer: found.excess(layer) for layer in found.statistics}
    assert max(worst.values()) < 1.5, worst


@pytest.mark.parametrize("brightness", [0.0, 0.01, 0.1])
def test_dark_samples_do_not_accuse_what_was_corrected_for_bright_ones(brightness):
    case = converted("digits_cnn", "int8")
    dark = {name: array[:3] * np.float32(brightness) for name, array in case.samples.items()}
    found = case.study(samples=dark)
    worst = {layer: values["bias"] for layer, values in found.statistics.items()}
    assert max(worst.values()) < LIMIT, worst


@pytest.mark.parametrize("model", ["image classification", "keyword spotting", "magic wand"])
@pytest.mark.parametrize("scheme", ["int8", "int16x8", "dynamic"])
def test_real_models_have_no_layer_at_fault(model, scheme):
    entry = REAL_MODELS[model]
    graph = compiler.graph_of(load_model(real(entry.file)).model)
    (public,) = graph.inputs
    calibration, samples = {public: entry.calibration()}, {public: entry.evaluation()}
    found = converted_graph(graph, calibration, samples, scheme).study()
    worst = {layer: found.excess(layer) for layer in found.statistics}
    assert max(worst.values()) < LIMIT, worst


@pytest.mark.parametrize(
    "form", [("float32", "loop"), ("int8", "loop"), ("int8, cell int16", "fused")], ids=names
)
def test_masked_tokens_have_no_layer_at_fault(form):
    layers = keras.layers
    keras.utils.set_random_seed(1)
    tokens = keras.Input((10,), dtype="int32")
    x = layers.LSTM(12, name="lstm")(layers.Embedding(50, 8, mask_zero=True, name="table")(tokens))
    model = keras.Model(tokens, layers.Dense(2, activation="softmax", name="out")(x))
    data = np.random.default_rng(0).integers(0, 50, (64, 10)).astype(np.int32)
    graph = compiler.graph_of(model)
    (public,) = graph.inputs
    calibration, samples = {public: data[:32]}, {public: data[32:]}
    found = converted_graph(graph, calibration, samples, "int8", *form).study()
    assert [layer.name for layer in found.layers] == ["table", "lstm", "out"]
    assert max(map(found.excess, found.statistics)) < LIMIT


CONVOLUTION = "block_2_a_relu"
LINEAR = "block_2_b_norm"
FAULTS = {
    "scale doubled": (faults.scale_doubled, CONVOLUTION, "2 times that of Keras"),
    "channel zeroed": (faults.channel_zeroed, CONVOLUTION, "channel 1 of block_2_a_conv/kernel"),
    "bias dropped": (faults.bias_dropped, CONVOLUTION, "bias block_2_a_conv/bias is missing"),
    "kernel transposed": (faults.kernel_transposed, CONVOLUTION, "height and width are swapped"),
    "padding shifted": (faults.padding_shifted, LINEAR, "padding is valid after a pad of 2+0"),
    "activation added": (
        lambda graph, layer: faults.activation_changed(graph, layer, Activation.RELU),
        LINEAR,
        "activation is relu; Keras has none",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("scheme", ["int8", "int16x8", "dynamic", "float32"])
def test_a_fault_in_a_layer_is_found_there_and_named(fault, scheme):
    sabotage, layer, words = FAULTS[fault]
    case = converted("digits_cnn", scheme)
    found, explanation = case.explain(sabotage(case.artifact, layer))
    assert explanation.ranking[0] == layer
    assert words in explanation.sentence
    assert found.excess(layer) > 2 * LIMIT
    at_fault = [error.layer for error in explanation.layers if error.excess > LIMIT]
    assert at_fault == [layer]


def test_an_activation_that_is_missing_is_found_where_it_changes_anything():
    case = converted("digits_cnn", "float32")
    broken = faults.activation_changed(case.artifact, CONVOLUTION, Activation.NONE)
    _, explanation = case.explain(broken)
    assert explanation.sentence.startswith(f"{CONVOLUTION}: its activation is none")


@pytest.mark.parametrize("layer", ["stem_relu", LINEAR, "block_3_shortcut"])
def test_a_zero_point_that_is_off_by_one_is_found(layer):
    case = converted("digits_cnn", "int8")
    _, explanation = case.explain(faults.zero_point_moved(case.artifact, layer))
    assert explanation.ranking[0] == layer
    assert "shifts its values by -1 steps" in explanation.sentence


GRUS = [("int8",), ("int8", "int8"), ("int8", "int16"), ("dynamic",), ("float32",)]


@pytest.mark.parametrize("case", GRUS, ids=names)
@pytest.mark.parametrize("kernel", ["gru/kernel", "gru/recurrent_kernel"])
def test_swapped_gates_are_named(case, kernel):
    found = converted("digits_gru", *case)
    stored = f"{kernel}/with_ends"
    name = stored if stored in found.artifact.tensors else kernel
    _, explanation = found.explain(faults.gates_swapped(found.artifact, name, 3, 0, 1))
    assert explanation.ranking[0] == "gru"
    assert "rows of the gates reset and update swapped" in explanation.sentence


def test_calibration_from_noise_is_named():
    healthy = converted("digits_cnn", "int8")
    (public,) = healthy.graph.inputs
    noise = np.random.default_rng(0).normal(0, 0.05, (100, 8, 8, 1)).astype(np.float32)
    case = converted_graph(healthy.graph, {public: noise}, healthy.samples, "int8")
    _, explanation = case.explain(case.artifact)
    assert "the calibration data do not look like these" in explanation.sentence
    assert max(error.excess for error in explanation.layers) > LIMIT


def test_samples_of_another_scale_than_the_calibration_data_are_named():
    case = converted("digits_cnn", "int8")
    large = {name: array * 255 for name, array in case.samples.items()}
    explanation = explained("x", case.study(samples=large), switch_off=False)
    assert explanation.ranking[0] == "image"
    assert "of the values of image lie beyond" in explanation.sentence


def test_errors_add_up_to_the_total():
    """Own and inherited error are the total's two parts, so none is larger than their sum."""
    case = converted("digits_cnn", "int8")
    _, explanation = case.explain(case.artifact)
    for error in explanation.layers:
        assert error.total <= (error.introduced + error.inherited) * (1 + 1e-6)
        assert abs(error.introduced - error.inherited) <= error.total * (1 + 1e-6) + 1e-9


def test_the_faulty_layer_in_float_takes_the_error_away():
    case = converted("digits_cnn", "int8")
    broken = faults.scale_doubled(case.artifact, CONVOLUTION)
    _, explanation = case.explain(broken, switch_off=True)
    gains = {error.layer: error.regained for error in explanation.layers}
    assert gains[CONVOLUTION] > 0.9
    assert gains["image"] is None


def test_integers_of_a_layer_are_counted():
    case = converted("digits_cnn", "int8")
    _, explanation = case.explain(case.artifact)
    stem = next(error for error in explanation.layers if error.layer == "stem_relu")
    assert sum(stem.values.counts) == explanation.samples * 8 * 8 * 16
    assert stem.values.counts[0] == stem.values.clipped_low


def test_a_file_is_read_and_explained(tmp_path):
    case = converted("digits_gru", "int8")
    path = tmp_path / "digits.tflite"
    path.write_bytes(compiler.written(case.artifact, "tflite"))
    explanation = explain_artifact(
        path, case.graph, case.samples, factors=case.factors, scheme=case.scheme, samples=8
    )
    assert explanation.artifact == "digits.tflite"
    assert explanation.samples == 8
    assert [error.layer for error in explanation.layers] == ["rows", "rescale", "gru", "digit"]
    assert explanation.sentence.startswith("no layer does worse than rounding explains")


def test_samples_are_spread_over_all_data():
    case = converted("digits_cnn", "float32")
    (samples,) = case.study().samples.values()
    whole = data_of("digits_cnn")["test"][0]
    assert np.array_equal(samples[0], whole[0]) and np.array_equal(samples[-1], whole[-1])
