"""An .onnx file as a program.

Shapes are those that ONNX infers. What follows from constants alone is a constant, as for ONNX
Runtime, which computes it when it loads the file.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from edgenn.errors import ArtifactError, UnavailableError
from edgenn.placement.program import Node, Program, Section, Value

NOT_FOLDED = frozenset({"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike"})


def onnx_program(data: bytes, where: str = "the file") -> Program:
    """Reads the bytes of an .onnx file; ``where`` names them in errors.

    Raises:
        ArtifactError: Not an ONNX file, or one whose graph makes no sense.
        UnavailableError: The package ``onnx`` is not installed.
    """
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ModuleNotFoundError as error:
        raise UnavailableError("onnx is not installed", "pip install 'edgenn[convert]'") from error
    try:
        model = onnx.load_from_string(data)
        model = onnx.shape_inference.infer_shapes(model, data_prop=True)
    except (DecodeError, onnx.shape_inference.InferenceError) as error:
        raise ArtifactError(f"{where} is damaged or not an ONNX file: {error}") from error
    if not model.graph.node and not model.graph.output:
        raise ArtifactError(f"{where} holds no graph")
    reader = Reader()
    reader.section(model.graph, {})
    return Program("onnx", tuple(reader.sections))


class Reader:
    """The sections of one file, each graph after the one that runs it."""

    def __init__(self) -> None:
        self.sections: list[Section] = []

    def section(self, graph: Any, outer: Mapping[str, Value]) -> int:
        """Adds a graph; ``outer`` is what the graphs around it have made. Gives its number."""
        number = len(self.sections)
        self.sections.append(Section(graph.name, (), (), ()))
        values = {**outer, **declared(graph)}
        inputs = tuple(
            values[value.name] for value in graph.input if not values[value.name].constant
        )
        nodes: list[Node] = []
        for proto in graph.node:
            if proto.op_type == "Constant":
                values[proto.output[0]] = constant_node(proto, values)
                continue
            nodes.append(self.node(proto, values))
            values.update({value.name: value for value in nodes[-1].outputs})
        outputs = tuple(values[value.name] for value in graph.output)
        section = Section(graph.name, inputs, outputs, tuple(nodes))
        self.sections[number] = with_stored(section)
        return number

    def node(self, proto: Any, values: Mapping[str, Value]) -> Node:
        from onnx import AttributeProto, helper

        attributes: dict[str, Any] = {"domain": proto.domain}
        bodies = []
        captured: dict[str, Value] = {}
        for attribute in proto.attribute:
            if attribute.type == AttributeProto.GRAPH:
                bodies.append(self.section(attribute.g, values))
                captured.update(outside(self.sections[bodies[-1]], values))
            else:
                attributes[attribute.name] = plain(helper.get_attribute_value(attribute))
        inputs = tuple(
            values.get(name, Value(name, (), "", ranked=False)) if name else None
            for name in proto.input
        )
        outputs = tuple(
            values.get(name, Value(name, (), "", ranked=False)) for name in proto.output if name
        )
        node = Node(
            proto.op_type,
            inputs,
            outputs,
            attributes,
            tuple(bodies),
            captured=tuple(captured.values()),
        )
        if node.given and all(v.constant for v in node.reads) and node.kind not in NOT_FOLDED:
            return replace(node, outputs=tuple(replace(v, constant=True) for v in outputs))
        return replace(node, repeats=rounds(node))


def with_stored(section: Section) -> Section:
    """The section, its real numbers beside integers with the dtype that those have."""
    readers = Counter(value for node in section.nodes for value in set(node.reads))
    readers.update(section.outputs)
    kept: dict[Value, Value] = {}
    for node in section.nodes:
        x, y = node.input(0), next(iter(node.outputs), None)
        if x is None or y is None:
            continue
        if node.kind == "DequantizeLinear":
            kept[y] = replace(y, stored=x.dtype, **grid(node))
        elif node.kind == "QuantizeLinear" and readers[x] == 1 and x not in kept:
            kept[x] = replace(x, stored=y.dtype)

    def known(value: Value) -> Value:
        return kept.get(value, value)

    nodes = (
        replace(
            node,
            inputs=tuple(None if value is None else known(value) for value in node.inputs),
            outputs=tuple(map(known, node.outputs)),
            captured=tuple(map(known, node.captured)),
        )
        for node in section.nodes
    )
    inputs, outputs = tuple(map(known, section.inputs)), tuple(map(known, section.outputs))
    return replace(section, inputs=inputs, outputs=outputs, nodes=tuple(nodes))


def grid(node: Node) -> dict[str, Any]:
    """Scales and zero points that a QuantizeLinear or DequantizeLinear is given."""
    scale, zero = node.input(1), node.input(2)
    return {
        "scales": () if scale is None or scale.data is None else numbers(scale, float),
        "zero_points": () if zero is None or zero.data is None else numbers(zero, int),
    }


def numbers(value: Value, kind: type) -> tuple[Any, ...]:
    return tuple(kind(entry) for entry in np.asarray(value.data).reshape(-1))


def declared(graph: Any) -> dict[str, Value]:
    """What the graph says of its tensors: inputs, outputs, what was inferred, and constants."""
    values = {info.name: value(info) for info in (*graph.value_info, *graph.output, *graph.input)}
    return {
        **values,
        **{tensor.name: constant(tensor.name, tensor) for tensor in graph.initializer},
    }


def value(info: Any) -> Value:
    kind = info.type.tensor_type
    ranked = info.type.HasField("tensor_type") and kind.HasField("shape")
    sizes = kind.shape.dim if ranked else ()
    shape = tuple(size.dim_value if size.HasField("dim_value") else None for size in sizes)
    return Value(info.name, shape, dtype_name(kind.elem_type), ranked=ranked)


def constant(name: str, tensor: Any) -> Value:
    from onnx import numpy_helper

    external = any(entry.key == "location" for entry in tensor.external_data)
    data = None if external else numpy_helper.to_array(tensor)
    return Value(name, tuple(tensor.dims), dtype_name(tensor.data_type), constant=True, data=data)


def constant_node(proto: Any, values: Mapping[str, Value]) -> Value:
    """What a Constant node makes; number and text attributes as arrays."""
    from onnx import helper

    (attribute,) = proto.attribute
    given = helper.get_attribute_value(attribute)
    if attribute.name == "value":
        return constant(proto.output[0], given)
    known = values.get(proto.output[0], Value(proto.output[0], (), "", ranked=False))
    return replace(known, constant=True)


def dtype_name(element: int) -> str:
    from onnx import TensorProto, helper

    if element == TensorProto.UNDEFINED:
        return ""
    return (
        "text" if element == TensorProto.STRING else helper.tensor_dtype_to_np_dtype(element).name
    )


def plain(given: Any) -> Any:
    """An attribute as plain data."""
    if isinstance(given, bytes):
        return given.decode(errors="replace")
    return tuple(given) if isinstance(given, list) else given


def outside(body: Section, values: Mapping[str, Value]) -> dict[str, Value]:
    """What a body reads of the values around it."""
    own = {value.name for value in body.inputs}
    own.update(value.name for node in body.nodes for value in node.outputs)
    read = [value for node in body.nodes for value in node.reads]
    return {v.name: v for v in (*read, *body.outputs) if v.name not in own and v.name in values}


def rounds(node: Node) -> int | None:
    """How often a loop runs its body; ``None`` where it is no loop or that is open."""
    if node.kind == "Scan":
        first = node.inputs[-int(node.attributes["num_scan_inputs"])]
        axes = node.attributes.get("scan_input_axes") or (0,)
        return first.shape[axes[0]] if first is not None and first.rank else None
    if node.kind == "Loop":
        count = node.input(0)
        return None if count is None or count.data is None else int(count.data.reshape(()))
    return None
