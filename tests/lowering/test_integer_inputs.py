"""Photos in uint8 and indices in float32 enter full-integer graphs as they are."""

import numpy as np
import pytest
from support.legalized import real_outputs, samples
from support.rewriting import assert_well_formed, kinds

from edgenn import compiler
from edgenn.errors import UnsupportedError
from edgenn.frontend.keras_import import keras
from edgenn.ir import ops
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph
from edgenn.lowering.integer import legalize
from edgenn.quantization.border import with_border
from edgenn.quantization.schemes import Scheme


def graph_with(dtype: str, *, also_read_as_integers: bool = False) -> Graph:
    builder = GraphBuilder("graph")
    x = builder.input("x", (None, 4), dtype)
    real = builder.add(ops.Cast("float32"), [x], "cast")
    outputs = {"y": builder.add(ops.Mul(), [real, builder.constant("c", np.float32(0.5))], "y")}
    if also_read_as_integers:
        outputs["z"] = builder.add(ops.Maximum(), [x, x], "z")
    return builder.finish(outputs)


@pytest.mark.parametrize("dtype", ["uint8", "int32"])
def test_integers_that_are_only_cast_are_real_numbers(dtype: str):
    graph = graph_with(dtype)
    legal = legalize(graph, "int8")
    assert_well_formed(legal)
    assert kinds(legal) == ["mul"]
    assert legal.inputs == graph.inputs
    assert legal.tensors["x"].dtype == "float32"
    x = np.arange(8).reshape(2, 4)
    np.testing.assert_array_equal(
        evaluate(legal, {"x": x.astype(np.float32)})["y"],
        evaluate(graph, {"x": x.astype(dtype)})["y"],
    )


def test_integers_that_are_also_read_as_such_stay():
    graph = graph_with("int32", also_read_as_integers=True)
    assert legalize(graph, "int8") is graph


def test_photos_in_uint8_are_stored_without_error():
    x = keras.Input((8, 8, 3), dtype="uint8")
    y = keras.layers.Conv2D(4, 3)(keras.layers.Rescaling(1 / 127.5, -1)(x))
    graph = compiler.graph_of(keras.Model(x, y))
    (public,) = graph.inputs
    photos = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 3)).astype(np.uint8)
    seen = compiler.calibrated(graph, {public: photos}, [Scheme.INT8])
    integers = with_border(compiler.quantized(graph, Scheme.INT8, seen[Scheme.INT8]), "uint8")
    quantization = integers.tensors[integers.inputs[public]].quantization
    assert (float(quantization.scale[0]), int(quantization.zero_point[0])) == (1.0, 0)
    (name,) = graph.outputs
    wanted = evaluate(graph, {public: photos})[graph.outputs[name]]
    real = real_outputs(integers, {public: photos.astype(np.float32)})[name]
    assert np.sqrt(np.mean((real - wanted) ** 2)) < 0.01 * np.ptp(wanted)


def test_casts_of_computed_integers_are_refused_by_name():
    builder = GraphBuilder("graph")
    x = builder.input("x", (None, 4))
    index = builder.add(ops.ArgMax(), [x], "index")
    graph = builder.finish({"y": builder.add(ops.Cast("float32"), [index], "number")})
    seen = compiler.calibrated(graph, samples(graph, -1, 1), [Scheme.INT8])
    with pytest.raises(UnsupportedError, match="number \\(cast\\)"):
        compiler.quantized(graph, Scheme.INT8, seen[Scheme.INT8])


def test_indices_that_come_as_floats_stay_exact():
    x = keras.Input((5,))  # float32: what Keras takes unless told otherwise
    y = keras.layers.Embedding(1000, 4)(x)
    graph = compiler.graph_of(keras.Model(x, y))
    (public,), (name,) = graph.inputs, graph.outputs
    indices = np.random.default_rng(0).integers(0, 1000, (16, 5)).astype(np.float32)
    seen = compiler.calibrated(graph, {public: indices}, [Scheme.INT8])
    integers = compiler.quantized(graph, Scheme.INT8, seen[Scheme.INT8])
    assert integers.tensors[integers.inputs[public]].dtype == "int32"
    real = real_outputs(integers, {public: indices.astype(np.int32)})[name]
    wanted = evaluate(graph, {public: indices})[graph.outputs[name]]
    step = integers.tensors[integers.outputs[name]].quantization.scale[0]
    assert np.abs(real - wanted).max() <= 0.51 * step
