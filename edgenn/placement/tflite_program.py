"""A .tflite file as a program."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from edgenn.inspection import builtin_names
from edgenn.placement.program import Node, Program, Section, Value
from edgenn.runtime.tensor_info import Array
from edgenn.runtime.tflite_file import DTYPES, parse_tflite

OTHER_DTYPES = {5: "text", 8: "complex64", 11: "complex128", 13: "resource", 14: "variant"}
FOUR_BITS = {17: "int4", 19: "uint4"}
"""TensorType → name, of types that NumPy has no array of."""

SEAM = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
"""Where ``strideW`` and ``dilationWFactor`` are parted."""


def tflite_program(data: bytes, where: str = "the file") -> Program:
    """Reads the bytes of a .tflite file; ``where`` names them in errors.

    Raises:
        ArtifactError: Not a .tflite file, cut off, or with references that lead nowhere.
    """
    from ai_edge_litert import schema_py_generated as schema

    parse_tflite(data, where)  # the schema's own reader trusts every offset
    reader = Reader(data, schema)
    sections = tuple(reader.section(subgraph) for subgraph in reader.model.subgraphs)
    return Program("tflite", tuple(with_repeats(section, sections) for section in sections))


class Reader:
    """The schema's objects of one file, turned into values and nodes."""

    def __init__(self, data: bytes, schema: Any) -> None:
        self.data = data
        self.model = schema.ModelT.InitFromPackedBuf(bytearray(data), 0)
        self.builtins = builtin_names()
        self.enumerations = enumerations(schema)
        self.dtypes = {**DTYPES, **OTHER_DTYPES, **FOUR_BITS}

    def section(self, subgraph: Any) -> Section:
        values = [
            self.value(tensor, number) for number, tensor in enumerate(listed(subgraph.tensors))
        ]
        return Section(
            text(subgraph.name),
            tuple(values[index] for index in listed(subgraph.inputs)),
            tuple(values[index] for index in listed(subgraph.outputs)),
            tuple(self.node(op, values) for op in listed(subgraph.operators)),
        )

    def node(self, op: Any, values: Sequence[Value]) -> Node:
        code = self.model.operatorCodes[op.opcodeIndex]
        builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
        kind = text(code.customCode) or self.builtins.get(builtin, f"BUILTIN_{builtin}")
        attributes = {
            **self.attributes(op.builtinOptions),
            **self.attributes(op.builtinOptions2),
            "version": code.version,
        }
        bodies = (
            attributes.get("cond_subgraph_index"),
            attributes.get("body_subgraph_index"),
            attributes.get("then_subgraph_index"),
            attributes.get("else_subgraph_index"),
        )
        return Node(
            kind,
            tuple(values[i] if i >= 0 else None for i in listed(op.inputs)),
            tuple(values[i] for i in listed(op.outputs)),
            attributes,
            tuple(number for number in bodies if number is not None),
            workspace=sum(values[i].bytes for i in listed(op.intermediates) if i >= 0),
        )

    def attributes(self, options: Any) -> dict[str, Any]:
        """The options table, its numbers with the names that the schema has for them."""
        return {
            SEAM.sub("_", key).lower(): self.named(key, value)
            for key, value in (vars(options) if options is not None else {}).items()
        }

    def named(self, key: str, value: Any) -> Any:
        names = self.enumerations.get(key)
        if names is not None and isinstance(value, int):
            return names.get(value, value)
        if key.endswith("Type") and isinstance(value, int):
            return self.dtypes.get(value, value)
        if isinstance(value, list | np.ndarray):
            return tuple(int(entry) for entry in value)
        return text(value) if isinstance(value, bytes) else value

    def value(self, tensor: Any, number: int) -> Value:
        sizes = listed(tensor.shapeSignature) or listed(tensor.shape)
        shape = tuple(None if size < 0 else int(size) for size in sizes)
        dtype = self.dtypes.get(tensor.type, f"type_{tensor.type}")
        content = self.content(tensor.buffer)
        quantization = tensor.quantization
        return Value(
            text(tensor.name),
            shape,
            dtype,
            constant=content is not None,
            variable=bool(tensor.isVariable),
            scales=tuple(float(s) for s in listed(quantization and quantization.scale)),
            zero_points=tuple(int(z) for z in listed(quantization and quantization.zeroPoint)),
            number=number,
            data=None if content is None else array(content, dtype, shape),
        )

    def content(self, number: int) -> Any:
        """The bytes of a buffer; ``None`` where it holds none."""
        buffer = self.model.buffers[number]
        if buffer.offset > 1:  # kept behind the flatbuffer, in files over 2 GB
            return np.frombuffer(self.data, np.uint8, buffer.size, buffer.offset)
        return buffer.data if buffer.data is not None and len(buffer.data) else None


def with_repeats(section: Section, sections: Sequence[Section]) -> Section:
    """The section, its loops with the number of their rounds where that is written."""
    nodes = (
        replace(node, repeats=rounds(node, sections[node.bodies[0]])) if is_loop(node) else node
        for node in section.nodes
    )
    return replace(section, nodes=tuple(nodes))


def is_loop(node: Node) -> bool:
    return node.kind == "WHILE" and len(node.bodies) == 2


def rounds(loop: Node, condition: Section) -> int | None:
    """How often a loop runs that counts from a constant up to a constant.

    The body is taken to count by ones, as that of every loop over time does.
    """
    if len(condition.nodes) != 1 or condition.nodes[0].kind != "LESS":
        return None
    count, end = condition.nodes[0].inputs
    if count not in condition.inputs or end is None or end.data is None or end.data.size != 1:
        return None
    first = loop.input(condition.inputs.index(count))
    if first is None or first.data is None or first.data.size != 1:
        return None
    return max(0, int(end.data.reshape(())) - int(first.data.reshape(())))


def array(content: Any, dtype: str, shape: tuple[int | None, ...]) -> Array | None:
    """The numbers of a constant; ``None`` for types and sizes that make no array."""
    try:
        numbers = np.frombuffer(bytes(content), dtype)
        return numbers.reshape([1 if size is None else size for size in shape])
    except (TypeError, ValueError):
        return None


def enumerations(schema: Any) -> Mapping[str, Mapping[int, str]]:
    """Names of the options that are enumerations, as the schema's tables call them."""
    tables = {
        "padding": schema.Padding,
        "fusedActivationFunction": schema.ActivationFunctionType,
        "mode": schema.MirrorPadMode,
        "weightsFormat": schema.FullyConnectedOptionsWeightsFormat,
    }
    return {
        key: {number: name for name, number in vars(table).items() if name.isupper()}
        for key, table in tables.items()
    }


def listed(values: Any) -> list[Any]:
    return [] if values is None else list(values)


def text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return "" if value is None else str(value)
