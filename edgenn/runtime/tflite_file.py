"""The structure of a .tflite file, read without LiteRT and checked before LiteRT sees it.

Source: the schema of TensorFlow Lite, ``schema.fbs`` (version 3c).
"""

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgenn.errors import ArtifactError, UnsupportedError
from edgenn.runtime.flatbuffer import (
    Fields,
    Reader,
    Values,
    scalar,
    table,
    tables,
    text,
    union,
    vector,
)
from edgenn.runtime.step_info import METADATA_KEY, StepInfo, read_step
from edgenn.runtime.tensor_info import TensorInfo

IDENTIFIER = b"TFL3"
SERVING_SIGNATURE = "serving_default"

SCHEMA: dict[str, Fields] = {
    "Model": {
        "version": scalar(0, "I"),
        "operator_codes": tables(1, "OperatorCode"),
        "subgraphs": tables(2, "SubGraph"),
        "description": text(3),
        "buffers": tables(4, "Buffer"),
        "metadata_buffer": vector(5, "i"),
        "metadata": tables(6, "Metadata"),
        "signature_defs": tables(7, "SignatureDef"),
    },
    "OperatorCode": {
        "deprecated_builtin_code": scalar(0, "b"),
        "custom_code": text(1),
        "version": scalar(2, "i", 1),
        "builtin_code": scalar(3, "i"),
    },
    "SubGraph": {
        "tensors": tables(0, "Tensor"),
        "inputs": vector(1, "i"),
        "outputs": vector(2, "i"),
        "operators": tables(3, "Operator"),
        "name": text(4),
    },
    "Tensor": {
        "shape": vector(0, "i"),
        "type": scalar(1, "b"),
        "buffer": scalar(2, "I"),
        "name": text(3),
        "quantization": table(4, "QuantizationParameters"),
        "is_variable": scalar(5, "B"),
        "sparsity": table(6, "SparsityParameters"),
        "shape_signature": vector(7, "i"),
        "variant_tensors": tables(9, "VariantSubType"),
    },
    "QuantizationParameters": {
        "min": vector(0, "f"),
        "max": vector(1, "f"),
        "scale": vector(2, "f"),
        "zero_point": vector(3, "q"),
        "details_type": scalar(4, "B"),
        "details": table(5, "Options"),
        "quantized_dimension": scalar(6, "i"),
    },
    "SparsityParameters": {
        "traversal_order": vector(0, "i"),
        "block_map": vector(1, "i"),
        "dim_metadata": tables(2, "DimensionMetadata"),
    },
    "DimensionMetadata": {
        "array_segments": table(3, "Options"),
        "array_indices": table(5, "Options"),
    },
    "VariantSubType": {"shape": vector(0, "i"), "type": scalar(1, "b")},
    "Operator": {
        "opcode_index": scalar(0, "I"),
        "inputs": vector(1, "i"),
        "outputs": vector(2, "i"),
        "builtin_options_type": scalar(3, "B"),
        "builtin_options": union(
            4, "builtin_options_type", {17: "ListOptions", 30: "ListOptions"}, "Options"
        ),
        "custom_options": vector(5, "B"),
        "mutating_variable_inputs": vector(7, "B"),
        "intermediates": vector(8, "i"),
        "builtin_options_2": table(12, "Options"),
    },
    # the options of an op: numbers only, but for RESHAPE (17) and SQUEEZE (30) with their sizes
    "Options": {},
    "ListOptions": {"sizes": vector(0, "i")},
    "Buffer": {"data": vector(0, "B"), "offset": scalar(1, "Q"), "size": scalar(2, "Q")},
    "Metadata": {"name": text(0), "buffer": scalar(1, "I")},
    "SignatureDef": {
        "inputs": tables(0, "TensorMap"),
        "outputs": tables(1, "TensorMap"),
        "signature_key": text(2),
        "subgraph_index": scalar(4, "I"),
    },
    "TensorMap": {"name": text(0), "tensor_index": scalar(1, "I")},
}

DTYPES: dict[int, str] = {
    0: "float32",
    1: "float16",
    2: "int32",
    3: "uint8",
    4: "int64",
    6: "bool",
    7: "int16",
    9: "int8",
    10: "float64",
    12: "uint64",
    15: "uint32",
    16: "uint16",
}  # TensorType → NumPy


@dataclass(frozen=True)
class Port:
    """An input or output of the main subgraph: its description and its tensor's index."""

    info: TensorInfo
    index: int


@dataclass(frozen=True)
class Variable:
    """A tensor of the main subgraph that keeps its value from run to run.

    Attributes:
        rows: How many one sample has, where their number is open.
    """

    index: int
    shape: tuple[int | None, ...]
    rows: int = 1


@dataclass(frozen=True)
class OperatorUse:
    """One op of the file: its builtin's number, or the name of a custom op."""

    builtin: int
    version: int
    custom: str | None


@dataclass(frozen=True)
class TFLiteFile:
    """What a .tflite says about itself.

    Attributes:
        inputs: In the order of the subgraph, named as in the signature.
        outputs: Likewise.
        operators: The ops of all subgraphs.
        variables: The states that kernels keep, such as a fused LSTM's.
        step: How its steps follow each other, if it runs one.
    """

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    operators: tuple[OperatorUse, ...]
    variables: tuple[Variable, ...]
    step: StepInfo | None = None


def read_tflite(path: Path) -> TFLiteFile:
    """Reads and checks the structure of a .tflite file.

    Raises:
        ArtifactError: Not a .tflite file, cut off, or with references that lead nowhere.
    """
    with path.open("rb") as file:
        if file.seek(0, 2) < 8:
            raise ArtifactError(f"{path} is not a .tflite file: it has less than 8 bytes")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return parse_tflite(data, str(path))


def parse_tflite(data: Any, where: str) -> TFLiteFile:
    """As ``read_tflite``, of bytes; ``where`` names them in errors."""
    if len(data) < 8 or bytes(data[4:8]) != IDENTIFIER:
        raise ArtifactError(
            f"{where} is not a .tflite file: it has no {IDENTIFIER.decode()} identifier",
            "give a file that edgenn convert or another TFLite converter wrote",
        )
    model = Reader(data, SCHEMA, where).root("Model")
    if not model["subgraphs"]:
        raise ArtifactError(f"{where} holds no graph")
    for problem in broken_references(model, len(data)):
        raise ArtifactError(f"{where} is damaged: {problem}", "convert or copy it again")
    operators = tuple(
        operator_use(model["operator_codes"][op["opcode_index"]])
        for subgraph in model["subgraphs"]
        for op in subgraph["operators"] or ()
    )
    names = signature_names(model, where)
    main = model["subgraphs"][0]
    inputs, outputs = (
        tuple(
            port(main["tensors"][index], index, names[kind], where) for index in values(main[kind])
        )
        for kind in ("inputs", "outputs")
    )
    variables = tuple(
        Variable(index, open_shape(tensor), max([1, *values(tensor["shape"])[:1]]))
        for index, tensor in enumerate(main["tensors"] or ())
        if tensor["is_variable"]
    )
    taken, given = ([port.info for port in ports] for ports in (inputs, outputs))
    step = read_step(metadata(model, METADATA_KEY), taken, given, where)
    return TFLiteFile(inputs, outputs, operators, variables, step)


def metadata(model: Values, name: str) -> bytes | None:
    """The content of the metadata buffer of that name."""
    buffers = dict(enumerate(model["buffers"] or ()))
    for entry in model["metadata"] or ():
        if entry["name"] == name and entry["buffer"] in buffers:
            return bytes(values(buffers[entry["buffer"]]["data"]))
    return None


def values(vector_: Any) -> list[Any]:
    """The elements of a vector that may be absent."""
    return [] if vector_ is None else vector_.values()


def broken_references(model: Values, size: int) -> Iterator[str]:
    """Indices that point at nothing."""
    buffers = model["buffers"] or []
    codes = model["operator_codes"] or []
    for number, buffer in enumerate(buffers):
        if buffer["offset"] > 1 and buffer["offset"] + buffer["size"] > size:
            yield f"buffer {number} lies outside the file"
    for subgraph in model["subgraphs"]:
        tensors = subgraph["tensors"] or []
        for tensor in tensors:
            if tensor["buffer"] >= max(len(buffers), 1):
                yield f"tensor {tensor['name']!r} names buffer {tensor['buffer']} of {len(buffers)}"
            if any(extent < 0 for extent in values(tensor["shape"])):
                yield f"tensor {tensor['name']!r} has a negative size"
        for kind in ("inputs", "outputs"):
            for index in values(subgraph[kind]):
                if not 0 <= index < len(tensors):
                    yield f"the graph's {kind} name tensor {index} of {len(tensors)}"
        for op in subgraph["operators"] or ():
            if op["opcode_index"] >= len(codes):
                yield f"an op names operator code {op['opcode_index']} of {len(codes)}"
            for kind in ("inputs", "outputs", "intermediates"):
                for index in values(op[kind]):
                    if not -1 <= index < len(tensors):
                        yield f"an op's {kind} name tensor {index} of {len(tensors)}"
    for signature in model["signature_defs"] or ():
        if signature["subgraph_index"] >= len(model["subgraphs"]):
            yield f"signature {signature['signature_key']!r} names no subgraph"


def operator_use(code: Values) -> OperatorUse:
    # the 8-bit field is what files before schema 3a have; the larger one holds
    builtin = max(code["builtin_code"], code["deprecated_builtin_code"])
    return OperatorUse(builtin, code["version"], code["custom_code"])


def signature_names(model: Values, where: str) -> dict[str, dict[int, list[str]]]:
    """Public names by tensor index, for ``inputs`` and ``outputs``; empty without signatures.

    A tensor may be several outputs, each with a name of its own.
    """
    signatures = {entry["signature_key"]: entry for entry in model["signature_defs"] or ()}
    if not signatures:
        return {"inputs": {}, "outputs": {}}
    chosen = signatures.get(SERVING_SIGNATURE) or next(iter(signatures.values()))
    if chosen["subgraph_index"] != 0:
        raise UnsupportedError(f"{where}: its signature names a graph other than the main one")
    names: dict[str, dict[int, list[str]]] = {"inputs": {}, "outputs": {}}
    for kind, known in names.items():
        for entry in chosen[kind] or ():
            known.setdefault(entry["tensor_index"], []).append(entry["name"] or "")
    return names


def open_shape(tensor: Values) -> tuple[int | None, ...]:
    """The sizes; ``None`` where open."""
    sizes = values(tensor["shape_signature"]) or values(tensor["shape"])
    return tuple(None if size < 0 else int(size) for size in sizes)


def port(tensor: Values, index: int, names: dict[int, list[str]], where: str) -> Port:
    """One input or output; takes its name out of ``names``."""
    own = names.get(index) or [""]
    name = own.pop(0) or tensor["name"] or f"tensor_{index}"
    dtype = DTYPES.get(tensor["type"])
    if dtype is None:
        raise UnsupportedError(f"{where}: {name!r} is of TFLite type {tensor['type']}, no array")
    shape = open_shape(tensor)
    quantization = tensor["quantization"] or {}
    scales = values(quantization.get("scale"))
    zero_points = values(quantization.get("zero_point")) or [0]
    if len(scales) == 1 and dtype in ("int8", "uint8", "int16"):
        return Port(TensorInfo(name, shape, dtype, scales[0], int(zero_points[0])), index)
    return Port(TensorInfo(name, shape, dtype), index)
