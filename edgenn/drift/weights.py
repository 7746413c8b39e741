"""Whether a file from elsewhere holds the weights of the Keras model.

Published pairs often do not: the float file is of another training run than the model beside it.
Such a file cannot be judged by what the model gives.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any, Final

import numpy as np

from edgenn.importing import read_tflite_graph
from edgenn.ir.graph import Graph, Op
from edgenn.ir.ops.recurrent import Recurrent
from edgenn.ir.tensor import Array, Tensor

SMALLEST: Final = 32
"""Elements of weights that say which model it is: fewer may be like others by chance."""
ALIKE: Final = 0.98
"""Cosine between a channel's weights and the file's, at least, of half of the channels. 8 bits give
0.9999; the same layer of another training run stays near 0."""


@dataclass(frozen=True)
class HeldWeights:
    """What a file holds of the model.

    Attributes:
        found: Weights of the model that the file has, whatever the order of axes.
        missing: Names of those that it has not.
    """

    found: int
    missing: tuple[str, ...]

    def note(self, file: str) -> str:
        """In words; empty where all are there."""
        count = self.found + len(self.missing)
        if not self.missing:
            return ""
        return (
            f"{file} does not hold the weights of this model: of {count} it has {self.found}"
            f" ({self.missing[0]} is not among them); compare it with the model that it was made of"
        )


def held_weights(graph: Graph, path: Path) -> HeldWeights:
    """Looks for every weight of the float graph in a .tflite or .onnx file.

    Batch normalisation may have been folded or not: scales of channels make no difference.

    Raises:
        ArtifactError: The file is damaged.
        UnsupportedError: It has an op that cannot be read.
    """
    read = constants_of_onnx if path.suffix == ".onnx" else constants_of_tflite
    by_size: dict[int, list[Array]] = {}
    for array in read(path):
        by_size.setdefault(array.size, []).append(array)
    found, missing = 0, []
    for op, tensor, axis in weights_of(graph):
        layouts = list(gate_orders(op, np.moveaxis(tensor.real(), axis, 0)))
        candidates = by_size.get(tensor.real().size, [])
        if any(same(layout, other) for layout in layouts for other in candidates):
            found += 1
        else:
            missing.append(tensor.name)
    return HeldWeights(found, tuple(missing))


def weights_of(graph: Graph) -> Iterator[tuple[Op, Tensor, int]]:
    """The weights that are large enough to tell, with the axis of their channels."""
    seen: set[str] = set()
    for op in graph.ops:
        for index, axis in op.operator.weight_axes.items():
            tensor = graph.tensors[op.inputs[index]]
            if tensor.data is not None and tensor.data.size >= SMALLEST and tensor.name not in seen:
                seen.add(tensor.name)
                yield op, tensor, axis


def gate_orders(op: Op, weights: Array) -> Iterator[Array]:
    """The weights with their gates in every order: formats differ in it."""
    gates = op.operator.gates if isinstance(op.operator, Recurrent) else 1
    blocks = np.split(weights, gates)
    for order in permutations(range(gates)):
        yield np.concatenate([blocks[index] for index in order])


def same(weights: Array, other: Array) -> bool:
    """Whether they are the same weights, axes in any order; ``weights`` has channels first."""
    squeezed = np.squeeze(other)
    own = np.squeeze(weights)
    for order in permutations(range(squeezed.ndim)):
        turned = np.transpose(squeezed, order)
        if turned.shape == own.shape and alike(own, turned):
            return True
    return False


def alike(a: Array, b: Array) -> bool:
    """Whether at least half of the channels point in the same direction."""
    rows, others = (np.asarray(x, np.float64).reshape(len(x), -1) for x in (a, b))
    if rows.shape[1] == 1:  # one number a channel has no direction
        rows, others = rows.T, others.T
    norms = np.linalg.norm(rows, axis=1) * np.linalg.norm(others, axis=1)
    known = norms > 0
    if not known.any():
        return bool((rows == others).all())
    cosines = np.einsum("ij,ij->i", rows, others)[known] / norms[known]
    return float(np.median(cosines)) >= ALIKE


def constants_of_tflite(path: Path) -> list[Array]:
    """What the file's constants stand for, those of loops included."""
    return list(constants_of_graph(read_tflite_graph(path)))


def constants_of_graph(graph: Graph) -> Iterator[Array]:
    for tensor in graph.tensors.values():
        if tensor.data is not None and tensor.data.dtype.kind in "fiu":
            yield np.asarray(tensor.real(), np.float32)
    for op in graph.ops:
        for value in vars(op.operator).values():
            if isinstance(value, Graph):
                yield from constants_of_graph(value)


def constants_of_onnx(path: Path) -> list[Array]:
    """Initialisers and constants, dequantised where a DequantizeLinear reads them."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(str(path))
    arrays = {entry.name: numpy_helper.to_array(entry) for entry in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            arrays[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    result = [array for array in arrays.values() if array.dtype.kind == "f"]
    for node in model.graph.node:
        known: Sequence[Any] = [arrays.get(name) for name in node.input]
        if node.op_type == "DequantizeLinear" and all(array is not None for array in known[:2]):
            result.append(dequantized(node, known))
    return result


def dequantized(node: Any, arrays: Sequence[Any]) -> Array:
    """What the integers of a DequantizeLinear stand for."""
    values, scale = arrays[:2]
    zero_point = arrays[2] if len(arrays) > 2 and arrays[2] is not None else np.zeros_like(scale)
    axis = next((entry.i for entry in node.attribute if entry.name == "axis"), 1)
    shape = [1] * values.ndim
    if scale.size > 1:
        shape[axis] = -1
    offset = values.astype(np.float32) - zero_point.astype(np.float32).reshape(shape)
    result: Array = offset * scale.reshape(shape)
    return result
