"""What emitters write into: hls4ml's list of layers, and which layer makes which tensor."""

import re
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from edgenn.errors import UnsupportedError
from edgenn.export.hls4ml.precision import type_of
from edgenn.ir.fixed_format import UNKNOWN, FixedFormat, formats_of
from edgenn.ir.graph import Graph, Op
from edgenn.ir.operator import Activation
from edgenn.ir.tensor import Array, Shape, Tensor

LONGEST_NAME = 40
"""Characters of a path in the name of a layer: names become C++ and files."""

INTEGER_INPUT = "ap_int<32>"
"""Of indices."""

RELU6_INTEGER_BITS = 4
"""Of values that a clamp at 6 is to see: up to 8."""


class Context:
    """hls4ml's intermediate form, filled layer by layer.

    Attributes:
        layers: In order, as ``ModelGraph.from_layer_list`` reads them; see ``hls4ml_file``.
        weights: ``layer/attribute`` → the array that belongs there.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.layers: list[dict[str, Any]] = []
        self.weights: dict[str, Array] = {}
        self._formats = dict(formats_of(graph))
        self._layer_of: dict[str, str] = {}

    # what there is

    def tensor(self, name: str) -> Tensor:
        return self.graph.tensors[name]

    def data(self, name: str) -> Array:
        """The values of a constant."""
        return self.tensor(name).real()

    def shape(self, name: str) -> tuple[int, ...]:
        """Without the batch; hls4ml lays out arrays of known sizes.

        Raises:
            UnsupportedError: A dimension that is open until run time.
        """
        return closed(name, self.tensor(name).shape)

    def is_read(self, name: str) -> bool:
        """Whether a tensor is of use to somebody."""
        return bool(self.graph.consumers[name]) or self.graph.is_output(name)

    def format(self, name: str) -> FixedFormat:
        return self._formats.get(name, UNKNOWN)

    def set_format(self, name: str, form: FixedFormat) -> None:
        self._formats[name] = form

    def layer_of(self, name: str) -> str:
        """The layer that makes a tensor.

        Raises:
            UnsupportedError: The tensor is a constant.
        """
        if name not in self._layer_of:
            raise UnsupportedError(f"{name}: hls4ml takes no constant as a layer's input")
        return self._layer_of[name]

    # writing

    def add(
        self,
        class_name: str,
        inputs: Sequence[str],
        output: str,
        attributes: Mapping[str, Any] | None = None,
        *,
        weights: Mapping[str, Array | None] | None = None,
        precision: Mapping[str, str] | None = None,
        settings: Mapping[str, Any] | None = None,
        form: FixedFormat | None = None,
    ) -> None:
        """Adds a layer that makes the tensor ``output``.

        Args:
            attributes: What hls4ml's converters would have put into the layer.
            weights: Arrays among the attributes.
            precision: Types besides that of the result.
            settings: Of hls4ml's configuration of the layer.
            form: Of the result, by default what the tensor's range asks for.
        """
        if form is not None:
            self.set_format(output, form)
        clean = re.sub(r"\W+", "_", output, flags=re.ASCII).strip("_")[:LONGEST_NAME]
        name = f"n{len(self.layers)}_{clean}"
        arrays = {key: array for key, array in (weights or {}).items() if array is not None}
        self.layers.append(
            {
                "class_name": class_name,
                "name": name,
                "path": output,
                "inputs": [self.layer_of(x) for x in inputs],
                "attributes": dict(attributes or {}),
                "weights": sorted(arrays),
                "precision": {"result": type_of(self.format(output)), **(precision or {})},
                "settings": dict(settings or {}),
            }
        )
        self.weights.update({f"{name}/{key}": array for key, array in arrays.items()})
        self._layer_of[output] = name

    def add_activated(
        self, class_name: str, op: Op, inputs: Sequence[str], activation: Activation, **parts: Any
    ) -> None:
        """Adds a layer and, behind it, the activation that the op has fused.

        Raises:
            UnsupportedError: hls4ml has no such activation.
        """
        if activation is Activation.NONE:
            self.add(class_name, inputs, op.output, **parts)
            return
        before = f"{op.output}/linear"
        self.add(class_name, inputs, before, form=self.before(op, activation), **parts)
        self.add_clamp(op, before, activation)

    def add_clamp(self, op: Op, x: str, activation: Activation) -> None:
        """Adds a ReLU that makes the op's output.

        Raises:
            UnsupportedError: hls4ml has no such activation.
        """
        if activation is Activation.RELU_N1_TO_1:
            raise UnsupportedError(f"{op.output}: hls4ml has no clamp to -1…1")
        if activation is Activation.RELU6:
            self._add_relu6(op, x)
        else:
            self.add("Activation", [x], op.output, {"activation": "relu"})

    def _add_relu6(self, op: Op, x: str) -> None:
        """``6 - relu(6 - relu(x))``: hls4ml's own relu6 does not stream."""
        form = self.before(op, Activation.RELU6)
        names = [f"{op.output}/{part}" for part in ("relu", "below_6", "relu_below_6")]
        self.add("Activation", [x], names[0], {"activation": "relu"}, form=form)
        size = prod(self.shape(op.output))
        self._six_minus(names[0], names[1], size, form)
        self.add("Activation", [names[1]], names[2], {"activation": "relu"}, form=form)
        self._six_minus(names[2], op.output, size, self.format(op.output))

    def _six_minus(self, x: str, output: str, size: int, form: FixedFormat) -> None:
        terms = {"scale": np.array([-1.0]), "bias": np.array([6.0])}
        self.add(
            "BatchNormalization",
            [x],
            output,
            {"n_in": size, "n_filt": 1},
            weights={f"{name}_data": term for name, term in terms.items()},
            precision={name: type_of(FixedFormat.of(term)) for name, term in terms.items()},
            form=form,
        )

    def before(self, op: Op, activation: Activation) -> FixedFormat:
        """The format of what goes into a clamp: as fine as what comes out, and with its reach."""
        form = self.format(op.output)
        grown = max(0, RELU6_INTEGER_BITS - form.integer) * (activation is Activation.RELU6)
        return FixedFormat(form.width + grown, form.integer + grown)

    def add_input(self, public: str) -> None:
        name = self.graph.inputs[public]
        tensor = self.tensor(name)
        shape = list(closed(public, tensor.shape))
        precision = {} if tensor.dtype.startswith("float") else {"result": INTEGER_INPUT}
        self.add("InputLayer", [], name, {"input_shape": shape}, precision=precision)

    def convert(self, x: str, output: str, form: FixedFormat) -> None:
        """Same values in another type."""
        self.add("Activation", [x], output, {"activation": "linear"}, form=form)

    def pretend(self, names: Sequence[str]) -> None:
        """Takes tensors for made, so that what reads them can be looked at."""
        self._layer_of.update(dict.fromkeys(names, ""))

    def reshape(self, x: str, output: str) -> None:
        """Same values, another shape; free, and in the same type."""
        target = list(self.shape(output))
        self.add("Reshape", [x], output, {"target_shape": target}, form=self.format(x))


def closed(name: str, shape: Shape) -> tuple[int, ...]:
    """A shape without its batch.

    Raises:
        UnsupportedError: Another dimension is open.
    """
    sizes = tuple(size for size in shape[1:] if size is not None)
    if len(sizes) != len(shape) - 1:
        raise UnsupportedError(
            f"{name}: hls4ml lays out arrays of known sizes, and {shape} is open",
            "give the model's input a fixed shape",
        )
    return sizes
