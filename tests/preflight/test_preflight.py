"""Reports of small models; exactness is tested against engines in end_to_end."""

import numpy as np
import pytest
from support.artifacts import conv_graph, write_tflite

import edgenn
from edgenn.errors import ArtifactError, UnsupportedError, UsageError
from edgenn.frontend.keras_import import keras
from edgenn.preflight import preflight

layers = keras.layers
HEAD = (
    'title = "Mine"\nkind = "npu"\nrunner = "litert"\n[artifact]\nformat = "{}"\nschemes = ["{}"]\n'
)


def profile(folder, more="", format_="tflite", scheme="int8"):
    path = folder / "mine.toml"
    path.write_text(HEAD.format(format_, scheme) + more)
    return path


def network(*, stride=1):
    x = keras.Input((16, 16, 2), name="image")
    y = layers.Conv2D(4, 3, strides=stride, name="conv", use_bias=False)(x)
    y = layers.BatchNormalization(name="norm")(y)
    y = layers.ReLU(name="relu")(y)
    y = layers.Dropout(0.5, name="dropout")(y)
    y = layers.Flatten(name="flatten")(y)
    inner = keras.Sequential(
        [layers.Dense(5, name="dense"), layers.Softmax(name="soft")], name="head"
    )
    return keras.Model(x, inner(y), name="net")


def one(model, target, **options):
    (report,) = preflight(model, [target], **options).targets
    return report


def test_layers_and_what_became_a_part_of_them(tmp_path):
    report = one(network(), profile(tmp_path))
    assert (report.verdict, report.reasons, report.scheme) == ("runs", (), "int8")
    assert [(layer.layer, layer.absorbed) for layer in report.layers] == [
        ("relu", ("conv", "norm")),
        ("flatten", ("dropout",)),
        ("head/dense", ()),
        ("head/soft", ()),
    ]
    conv, flatten, dense, soft = report.layers
    assert (conv.ops, conv.precision, conv.form) == ({"CONV_2D": 1}, ("int8",), "")
    assert (conv.macs, conv.weight_bytes) == (14 * 14 * 4 * 18, 4 * 18 + 4 * 4)
    assert conv.accelerator == flatten.accelerator == dense.accelerator == soft.accelerator == 1
    assert report.macs == report.accelerator_macs == conv.macs + dense.macs
    assert report.accelerator_share == 1


def test_what_falls_back(tmp_path):
    rules = (
        '[[ops.limits]]\nof = ["CONV_2D"]\nneeds = { stride_h = 1 }\nreason = "no strides"\n'
        '[[ops.limits]]\nof = ["SOFTMAX"]\nneeds = { rank = 4 }\nreason = "rank"\n'
    )
    report = one(network(stride=2), profile(tmp_path, rules))
    assert report.verdict == "partly"
    assert report.accelerator_macs == report.macs - report.layers[0].macs
    (reason,) = report.layers[0].reasons
    assert (reason.op, reason.count, reason.reason) == ("CONV_2D", 1, "no strides")
    refused = one(network(), profile(tmp_path, '[ops]\nelsewhere = "refused"\n' + rules))
    assert (refused.verdict, refused.exit_code) == ("refused", 3)
    assert refused.reasons == ("SOFTMAX 'head/soft': rank",)


def test_memory(tmp_path):
    fits = one(network(), profile(tmp_path, "[memory]\nsram_bytes = 2000\nflash_bytes = 9000\n"))
    assert fits.verdict == "runs"
    small = one(network(), profile(tmp_path, "[memory]\nsram_bytes = 1000\nflash_bytes = 900\n"))
    assert small.verdict == "refused"
    file, activations = small.reasons
    assert file.startswith("the file has") and "flash 900" in file
    assert activations == "it needs 1,296 bytes of working memory, mine has 1,000"


def test_recurrent_forms(tmp_path):
    x = keras.Input((6, 3), name="x")
    model = keras.Model(x, layers.LSTM(4, name="lstm")(x))
    for forms, expected, kind in (
        ('["fused"]', "fused", "UNIDIRECTIONAL_SEQUENCE_LSTM"),
        ('["unrolled"]', "unrolled", "LOGISTIC"),
        ('["loop"]', "loop", "WHILE"),
        ('["step"]', "step", "LOGISTIC"),
    ):
        path = profile(tmp_path)
        path.write_text(path.read_text() + f"batch = 1\nrecurrent = {forms}\n")
        report = one(model, path)
        (layer,) = [layer for layer in report.layers if layer.form]
        assert (report.form, layer.layer, layer.form) == (expected, "lstm", expected)
        assert kind in layer.ops
        assert report.batch == 1


def test_a_refused_conversion_is_a_refusal(tmp_path):
    x = keras.Input((6, 3), name="x")
    model = keras.Model(x, layers.GRU(4, name="gru")(x))
    path = profile(tmp_path)
    path.write_text(path.read_text() + 'recurrent = ["fused"]\n')
    report = one(model, path)
    assert (report.verdict, report.size_bytes, report.layers) == ("refused", None, ())
    with pytest.raises(UnsupportedError) as error:
        edgenn.convert(model, tmp_path / "out", targets=[path], calibration=np.ones((4, 6, 3)))
    assert report.reasons == (str(error.value),)


def test_schemes(tmp_path):
    path = profile(tmp_path, scheme='int8", "float32')
    both = preflight(network(), [path], quantize=["float32", "int8"]).targets
    assert [report.scheme for report in both] == ["float32", "int8"]
    assert [report.layers[0].precision for report in both] == [("float32",), ("int8",)]
    with pytest.raises(UsageError, match="mine takes int8 or float32, not dynamic"):
        preflight(network(), [path], quantize=["dynamic"])


def test_several_targets_share_one_conversion(tmp_path, monkeypatch):
    from edgenn import compiler

    calls = []
    written = compiler.written
    monkeypatch.setattr(compiler, "written", lambda *a: calls.append(a[1]) or written(*a))
    report = preflight(network(), ["cpu-xnnpack", "cpu-reference"], quantize=["float32"])
    assert [target.target for target in report.targets] == ["cpu-xnnpack", "cpu-reference"]
    assert calls == ["tflite"]


def test_artifacts(tmp_path):
    path = write_tflite(conv_graph(), tmp_path)
    report = one(path, "cpu-xnnpack")
    assert (report.verdict, report.size_bytes) == ("runs", path.stat().st_size)
    assert one(path, "cpu-onnxruntime").reasons == ("it takes .onnx files",)
    with pytest.raises(ArtifactError, match="cannot be read"):
        preflight(tmp_path / "none.tflite", ["cpu-xnnpack"])


def test_unknown_targets_come_first(tmp_path):
    with pytest.raises(UsageError, match="no target 'cpu-xnnpac'"):
        preflight(tmp_path / "no such model.keras", ["cpu-xnnpac"])


def test_every_layer_that_an_fpga_has_not():
    model = keras.Sequential(
        [
            keras.Input((6, 3)),
            keras.layers.SimpleRNN(4, return_sequences=True, name="first"),
            keras.layers.SimpleRNN(4, name="second"),
        ]
    )
    (report,) = preflight(model, ["fpga-hls4ml"]).targets
    assert report.verdict == "refused"
    assert [reason.split(":")[0].split("/")[0] for reason in report.reasons] == ["first", "second"]
