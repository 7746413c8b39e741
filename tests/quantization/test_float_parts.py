"""What of a full-integer graph computes in float: behind a recurrent layer, up to a convolution."""

import numpy as np
import pytest

from edgenn import compiler
from edgenn.frontend.keras_import import keras
from edgenn.ir.graph import Graph
from edgenn.plan import builds
from edgenn.quantization import float_parts
from edgenn.quantization.float_parts import float_ops, wide_tables
from edgenn.quantization.schemes import Gates, Scheme

layers = keras.layers
WORDS = 50


def kinds_of(graph: Graph, names: frozenset[str]) -> list[str]:
    return [op.kind for op in graph.ops if op.name in names]


def of(inputs, outputs) -> Graph:
    return compiler.graph_of(keras.Model(inputs, outputs), name="net")


def rows():
    return keras.Input((6, 3), name="x")


def words():
    return keras.Input((6,), dtype="int32", name="words")


def in_integers(graph: Graph, scheme: Scheme = Scheme.INT8, precision: str = "float32") -> Graph:
    rng = np.random.default_rng(0)
    samples = {
        public: rng.integers(0, WORDS, (16, *graph.tensors[name].shape[1:])).astype(np.int32)
        if graph.tensors[name].dtype == "int32"
        else rng.normal(size=(16, *graph.tensors[name].shape[1:])).astype(np.float32)
        for public, name in graph.inputs.items()
    }
    (build,) = builds(graph, [scheme], ["tflite"], "loop", precision)
    options = compiler.QuantizationOptions()
    seen = compiler.calibrations(graph, samples, [build], options)
    return compiler.quantized(graph, scheme, seen[build.start], options)


def test_everything_behind_a_recurrent_layer():
    x = rows()
    y = layers.Dense(5, activation="softmax")(layers.Dense(8, activation="relu")(layers.LSTM(4)(x)))
    graph = of(x, y)
    assert kinds_of(graph, float_ops(graph)) == [
        "lstm",
        "fully_connected",
        "fully_connected",
        "softmax",
    ]


def test_a_convolution_begins_an_integer_part_and_a_layer_behind_it_a_float_one():
    x = rows()
    y = layers.Conv1D(4, 3)(layers.Conv1D(4, 2)(x))
    y = layers.LSTM(5, return_sequences=True)(y)
    y = layers.Activation("sigmoid")(y)
    y = layers.MaxPooling1D(2)(layers.Conv1D(4, 1, name="between")(y))
    graph = of(x, layers.Dense(3)(layers.GRU(4)(y)))
    floats = kinds_of(graph, float_ops(graph))
    assert [kind for kind in floats if kind != "reshape"] == [
        "lstm",
        "logistic",
        "gru",
        "fully_connected",
    ]
    integers = [op.kind for op in graph.ops if op.name not in float_ops(graph)]
    assert integers.count("conv_2d") == 3
    assert "max_pool_2d" in integers


def test_products_of_two_activations_are_integers():
    x = rows()
    h = layers.LSTM(4, return_sequences=True)(x)
    graph = of(x, layers.Dense(3)(layers.Attention()([h, h])))
    assert kinds_of(graph, float_ops(graph)) == ["lstm", "transpose"]  # moved, not multiplied


def test_what_joins_a_float_part_is_float_behind_it():
    x = rows()
    h, f = layers.LSTM(4)(x), layers.GlobalAveragePooling1D()(layers.Conv1D(4, 3)(x))
    graph = of(x, layers.Dense(3, name="last")(layers.Add(name="sum")([h, f])))
    floats = float_ops(graph)
    assert {"sum", "last"} <= floats
    integers = {op.kind for op in graph.ops if op.name not in floats}
    assert integers == {"reshape", "conv_2d", "mean"}


def test_integers_made_from_real_numbers_end_it():
    x = rows()
    best = keras.ops.argmax(layers.LSTM(4)(x), axis=-1)
    graph = of([x], [best, keras.ops.add(best, 1)])
    assert kinds_of(graph, float_ops(graph)) == ["lstm", "arg_max"]


def test_networks_without_recurrent_layers_have_none():
    x = keras.Input((8, 8, 3))
    y = layers.Dense(3)(layers.Flatten()(layers.Conv2D(4, 3)(x)))
    assert float_ops(of(x, y)) == frozenset()


def test_integer_gates_have_none():
    x = rows()
    graph = of(x, layers.Dense(3)(layers.LSTM(4)(x)))
    integers = in_integers(graph, precision="int16")
    assert {t.dtype for t in integers.tensors.values() if not t.is_constant} <= {"int8", "int16"}


@pytest.mark.parametrize("scheme", [Scheme.INT8, Scheme.INT16X8])
def test_between_float_ops_nothing_is_rounded(scheme):
    x = rows()
    y = layers.Dense(5, activation="softmax")(
        layers.Dense(20, activation="tanh")(layers.LSTM(4)(x))
    )
    integers = in_integers(of(x, y), scheme)
    assert [op.kind for op in integers.pruned().ops] == [
        "dequantize",
        "lstm",
        "fully_connected",
        "tanh",
        "fully_connected",
        "softmax",
        "quantize",
    ]


def embeddings(*readers: str, output: bool = False) -> Graph:
    x = words()
    y = layers.Embedding(WORDS, 8, name="table")(x)
    made = {
        "lstm": lambda: layers.LSTM(4)(y),
        "gru": lambda: layers.GRU(4)(y),
        "conv": lambda: layers.Flatten()(layers.Conv1D(2, 3)(y)),
    }
    outputs = [made[reader]() for reader in readers]
    return of(x, [*outputs, *([y] if output else [])])


@pytest.mark.parametrize(
    ("graph", "wide"),
    [
        (lambda: embeddings("lstm"), True),
        (lambda: embeddings("lstm", "gru"), True),
        (lambda: embeddings("lstm", "conv"), False),
        (lambda: embeddings("conv"), False),
        (lambda: embeddings("lstm", output=True), False),
    ],
    ids=["float", "two floats", "float and integer", "integer", "an output"],
)
def test_tables_that_float_ops_alone_read_are_wide(graph, wide):
    network = graph()
    assert kinds_of(network, wide_tables(network, float_ops(network))) == ["gather"] * wide


def test_large_tables_are_not_wide(monkeypatch):
    network = embeddings("lstm")
    (table,) = [op.inputs[0] for op in network.ops if op.kind == "gather"]
    assert network.tensors[table].data.size == WORDS * 8
    monkeypatch.setattr(float_parts, "LARGEST_WIDE_TABLE", WORDS * 8 - 1)
    assert wide_tables(network, float_ops(network)) == frozenset()


def test_a_wide_table_has_16_bits():
    integers = in_integers(embeddings("lstm"))
    (gather,) = [op for op in integers.ops if op.kind == "gather"]
    assert {integers.tensors[name].dtype for name in (gather.inputs[0], gather.output)} == {"int16"}


def test_a_table_of_two_look_ups_has_the_bits_that_each_needs():
    a, b = (keras.Input((6,), dtype="int32", name=name) for name in "ab")
    table = layers.Embedding(WORDS, 8)
    outputs = [layers.LSTM(4)(table(a)), layers.Flatten()(layers.Conv1D(2, 3)(table(b)))]
    integers = in_integers(of([a, b], outputs))
    gathers = [op for op in integers.ops if op.kind == "gather"]
    assert sorted(integers.tensors[op.output].dtype for op in gathers) == ["int16", "int8"]
    for op in gathers:
        assert integers.tensors[op.inputs[0]].dtype == integers.tensors[op.output].dtype


def test_float_is_only_for_float_gates():
    x = rows()
    graph = of(x, layers.Dense(3)(layers.LSTM(4)(x)))
    (build,) = builds(graph, [Scheme.INT8], ["tflite"], "loop", "auto")
    assert build.gates is Gates.FLOAT32
    (build,) = builds(graph, [Scheme.INT8], ["onnx"], "loop", "auto")
    assert build.gates is Gates.FLOAT32
