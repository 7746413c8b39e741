"""Small artifacts, real ones: built as graphs and written by the exporters."""

from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgenn.export.tflite.exporter import to_tflite
from edgenn.export.tflite.serialization import serialize
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph
from edgenn.ir.operator import Padding
from edgenn.ir.ops import Conv2D, DepthwiseConv2D
from edgenn.ir.tensor import Quantization

INPUT_SCALE, INPUT_ZERO_POINT = 0.5, 3
OUTPUT_SCALE, OUTPUT_ZERO_POINT = 0.25, -7


def conv_graph(batch: int | None = None, *, seed: int = 0) -> Graph:
    """``x`` (N, 4, 4, 2) → convolution with bias → ``y`` (N, 4, 4, 3), in float32."""
    random = np.random.default_rng(seed)
    builder = GraphBuilder("conv")
    x = builder.input("x", (batch, 4, 4, 2))
    kernel = builder.constant("conv/kernel", random.normal(size=(3, 3, 3, 2)).astype(np.float32))
    bias = builder.constant("conv/bias", random.normal(size=3).astype(np.float32))
    y = builder.add(Conv2D(padding=Padding.SAME), [x, kernel, bias], "conv")
    return builder.finish({"y": y})


def int8_conv_graph(batch: int | None = None) -> Graph:
    """As ``conv_graph``, all int8; the kernel copies two channels and adds them up."""
    builder = GraphBuilder("conv_int8")
    weights = np.zeros((3, 1, 1, 2), np.int8)
    weights[0, 0, 0, 0] = weights[1, 0, 0, 1] = 1
    weights[2, 0, 0] = 1
    x = builder.input("x", (batch, 4, 4, 2), "int8")
    builder.tensors[x] = builder.tensors[x].with_(
        quantization=Quantization.per_tensor(INPUT_SCALE, INPUT_ZERO_POINT)
    )
    kernel = builder.constant("kernel", weights, Quantization.per_channel(np.ones(3), 0))
    bias = builder.constant(
        "bias", np.zeros(3, np.int32), Quantization.per_channel(np.full(3, INPUT_SCALE), 0)
    )
    y = builder.add(Conv2D(), [x, kernel, bias], "y")
    builder.tensors[y] = builder.tensors[y].with_(
        quantization=Quantization.per_tensor(OUTPUT_SCALE, OUTPUT_ZERO_POINT)
    )
    return builder.finish({"y": y})


def two_input_graph(batch: int | None = None) -> Graph:
    """Inputs ``left`` and ``right``, outputs ``second`` and ``first``: each doubled or tripled."""
    builder = GraphBuilder("two")
    outputs = {}
    for name, out, factor in (("right", "second", 2.0), ("left", "first", 3.0)):
        x = builder.input(name, (batch, 1, 1, 1))
        kernel = builder.constant(f"{name}/k", np.full((1, 1, 1, 1), factor, np.float32))
        bias = builder.constant(f"{name}/b", np.zeros(1, np.float32))
        outputs[out] = builder.add(Conv2D(), [x, kernel, bias], f"{name}/conv")
    return builder.finish(outputs)


def write_crashing_tflite(folder: Path) -> Path:
    """``conv_graph``'s borders, and within a depthwise convolution without bias.

    LiteRT 2.3's optimised kernel reads the absent bias and dies; the reference kernel runs it.

    The writer never makes such a file, so its bias is taken out of the finished one.
    """
    builder = GraphBuilder("crash")
    x = builder.input("x", (1, 4, 4, 2))
    kernel = builder.constant("kernel", np.ones((1, 3, 3, 2), np.float32))
    bias = builder.constant("bias", np.zeros(2, np.float32))
    deep = builder.add(DepthwiseConv2D(padding=Padding.SAME), [x, kernel, bias], "deep")
    head = builder.constant("head", np.ones((3, 1, 1, 2), np.float32))
    head_bias = builder.constant("head_bias", np.ones(3, np.float32))
    y = builder.add(Conv2D(), [deep, head, head_bias], "y")
    model = schema.ModelT.InitFromPackedBuf(to_tflite(builder.finish({"y": y})), 0)
    operator = model.subgraphs[0].operators[0]
    operator.inputs = operator.inputs[:2]
    path = folder / "crash.tflite"
    path.write_bytes(serialize(model))
    return path


def write_tflite(graph: Graph, folder: Path, name: str = "net.tflite") -> Path:
    path = folder / name
    path.write_bytes(to_tflite(graph))
    return path


def write_onnx(graph: Graph, folder: Path, name: str = "net.onnx") -> Path:
    """The one convolution of ``conv_graph`` as ONNX, written with ``onnx`` itself."""
    from onnx import TensorProto, checker, helper, numpy_helper

    x, y = graph.tensors[graph.inputs["x"]], graph.tensors[graph.outputs["y"]]
    kernel, bias = (graph.tensors[n].data for n in graph.ops[0].inputs[1:])
    nodes = [
        helper.make_node("Transpose", ["x"], ["x_nchw"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["x_nchw", "k", "b"], ["y_nchw"], auto_pad="SAME_UPPER"),
        helper.make_node("Transpose", ["y_nchw"], ["y"], perm=[0, 2, 3, 1]),
    ]
    model = helper.make_model(
        helper.make_graph(
            nodes,
            graph.name,
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, named(x.shape))],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, named(y.shape))],
            [
                numpy_helper.from_array(kernel.transpose(0, 3, 1, 2).copy(), "k"),
                numpy_helper.from_array(bias, "b"),
            ],
        ),
        opset_imports=[helper.make_opsetid("", 13)],
        ir_version=8,
    )
    checker.check_model(model, full_check=True)
    path = folder / name
    path.write_bytes(model.SerializeToString())
    return path


def named(shape):
    return ["batch" if size is None else size for size in shape]
