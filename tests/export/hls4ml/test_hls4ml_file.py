"""What an .hls4ml file holds, and which damaged or hostile ones are refused."""

import io
import json
import shutil
import zipfile
from collections import Counter

import keras
import numpy as np
import pytest
from keras import layers
from support.hls4ml import calibrated, fixed16, recurrent_layers

from edgenn import compiler
from edgenn.errors import ArtifactError
from edgenn.export.hls4ml.exporter import to_hls4ml
from edgenn.ir.fixed_format import UNKNOWN, FixedFormat, formats_of
from edgenn.runtime.hls4ml_file import MODEL, read_hls4ml

X = np.random.default_rng(3).normal(size=(40, 8)).astype("float32")


@pytest.fixture(scope="module")
def dense():
    keras.utils.set_random_seed(1)
    inputs = keras.Input((8,), name="x")
    x = layers.Dense(5, activation="relu", name="hidden")(inputs)
    return keras.Model(inputs, layers.Dense(3, name="y")(x), name="dense")


@pytest.fixture
def written(dense, tmp_path):
    path = tmp_path / "dense.fixed16.hls4ml"
    path.write_bytes(fixed16(dense, {"x": X}))
    return path


def test_the_same_model_gives_the_same_bytes(dense):
    assert fixed16(dense, {"x": X}) == fixed16(dense, {"x": X})
    assert fixed16(dense) == fixed16(dense)


def test_layers_carry_the_paths_of_keras(written):
    content = read_hls4ml(written)
    assert [(layer["class_name"], layer["path"]) for layer in content.layers] == [
        ("InputLayer", "x"),
        ("Dense", "hidden/linear"),
        ("Activation", "hidden"),
        ("Dense", "y"),
    ]
    assert [port.info.name for port in content.inputs] == ["x"]
    assert content.outputs[0].info.shape == (None, 3)


def test_weights_lie_on_the_grid_of_their_type(dense, written):
    (layer,) = (layer for layer in read_hls4ml(written).layers if layer["path"] == "y")
    kernel, bias = dense.get_layer("y").get_weights()
    weights = layer["attributes"]["weight_data"]
    form = FixedFormat.of(kernel)
    assert layer["precision"]["weight"] == f"ap_fixed<16,{form.integer}>"
    np.testing.assert_array_equal(weights / form.step, np.rint(weights / form.step))
    assert np.abs(weights - kernel).max() <= form.step / 2
    assert np.abs(layer["attributes"]["bias_data"] - bias).max() <= form.step / 2


def test_sums_are_exact():
    """The accumulator's last bit is that of the products, its first one holds all of them."""
    inputs = keras.Input((300,), name="x")
    model = keras.Model(inputs, layers.Dense(1, kernel_initializer="ones", name="y")(inputs))
    graph = calibrated(compiler.graph_of(model), {"x": np.full((2, 300), 3.9, "float32")})
    assert formats_of(graph)["x"] == FixedFormat(16, 3)
    assert formats_of(graph)["y"] == FixedFormat(16, 12)
    content = to_hls4ml(graph)
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        (layer,) = (x for x in json.loads(file.read(MODEL))["layers"] if x["path"] == "y")
    # 300 products of 1 (15 bits behind the point) and up to 4 (13 bits): below 2048
    assert layer["precision"]["accum"] == "ap_fixed<40,12>"


def test_ranges_put_the_point(dense):
    """Half as large inputs get one more bit behind the point."""
    graph = compiler.graph_of(dense)
    for scale, integer in ((1, 3), (0.5, 2), (0.25, 1), (32, 8), (1e-9, -8)):
        samples = {"x": np.clip(X, -3.9, 3.9) * 0 + np.float32(3.9 * scale)}
        assert formats_of(calibrated(graph, samples))["x"] == FixedFormat(16, integer)


def test_without_samples_activations_reach_32(dense, tmp_path):
    path = tmp_path / "dense.hls4ml"
    path.write_bytes(fixed16(dense))
    for layer in read_hls4ml(path).layers:
        assert layer["precision"]["result"] == "ap_fixed<16,6,AP_RND,AP_SAT>"
    assert FixedFormat(16, 6) == UNKNOWN


def test_an_lstms_cell_decides_its_type():
    """hls4ml holds h, which is below 1, and c, which is not, in one type."""
    keras.utils.set_random_seed(2)
    steps = keras.Input((30, 2), name="x")
    bias = keras.initializers.Constant(3.0)
    model = keras.Model(steps, layers.LSTM(4, bias_initializer=bias, name="lstm")(steps))
    graph = calibrated(compiler.graph_of(model), {"x": np.ones((4, 30, 2), "float32")})
    (op,) = graph.ops
    assert formats_of(graph)[op.outputs[1]].integer >= 4  # c grows by almost 1 a step


def test_recurrent_layers_stay_whole(tmp_path):
    path = tmp_path / "recurrent.hls4ml"
    path.write_bytes(fixed16(recurrent_layers()))
    kinds = Counter(layer["class_name"] for layer in read_hls4ml(path).layers)
    wanted = {"LSTM": 2, "GRU": 3, "Bidirectional": 2, "Concatenate": 0, "Dense": 1}
    assert {kind: kinds[kind] for kind in wanted} == wanted


def test_an_lstm_has_one_type(tmp_path):
    """hls4ml's C++ takes no other; around it are conversions."""
    path = tmp_path / "recurrent.hls4ml"
    path.write_bytes(fixed16(recurrent_layers()))
    layers_ = {layer["name"]: layer for layer in read_hls4ml(path).layers}
    lstms = [layer for layer in layers_.values() if layer["class_name"] == "LSTM"]
    for layer in lstms:
        (before,) = layer["inputs"]
        types = {layer["precision"][key] for key in ("result", "accum")}
        assert types == {layers_[before]["precision"]["result"]}
        assert next(iter(types)).startswith("ap_fixed<27,")


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 no zip", b"TFL3" * 100])
def test_a_damaged_file_is_named(tmp_path, damage):
    path = tmp_path / "broken.hls4ml"
    path.write_bytes(damage)
    with pytest.raises(ArtifactError, match=r"broken\.hls4ml"):
        read_hls4ml(path)


def test_a_cut_file_is_named(written):
    written.write_bytes(written.read_bytes()[:500])
    with pytest.raises(ArtifactError, match=r"dense\.fixed16\.hls4ml"):
        read_hls4ml(written)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", 'n1"; system("true");//'),
        ("class_name", "Dense\n"),
        ("precision", {"result": "ap_fixed<16,6>; int x"}),
        ("settings", {"TableSize": "1024]; int y[1"}),
        ("attributes", {"activ_param": float("inf")}),
        ("inputs", ["n0_x{}"]),
    ],
)
def test_no_statement_gets_into_the_code(written, tmp_path, key, value):
    """Names and types become C++ that is compiled and run."""
    hostile = tmp_path / "hostile.hls4ml"
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(hostile, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == MODEL:
                model = json.loads(content)
                model["layers"][1][key] = value
                content = json.dumps(model).encode()
            target.writestr(name, content)
    with pytest.raises(ArtifactError, match=r"hostile\.hls4ml is no \.hls4ml file, or damaged"):
        read_hls4ml(hostile)


def test_another_version_is_not_read(written, tmp_path):
    other = tmp_path / "other.hls4ml"
    shutil.copy(written, other)
    with zipfile.ZipFile(other, "w") as file:
        file.writestr(MODEL, json.dumps({"version": 2}))
    with pytest.raises(ArtifactError, match="version 2 of the format is not known"):
        read_hls4ml(other)
