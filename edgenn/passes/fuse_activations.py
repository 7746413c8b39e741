"""Makes clamps part of the op before them."""

from dataclasses import replace

import numpy as np

from edgenn.ir.graph import Op
from edgenn.ir.operator import Activation, Operator
from edgenn.ir.ops import (
    AveragePool2D,
    Conv2D,
    DepthwiseConv2D,
    FullyConnected,
    Maximum,
    MaxPool2D,
    Minimum,
    Relu,
    Relu6,
    ReluN1To1,
    TransposeConv2D,
)
from edgenn.ir.ops.activation import Clamp
from edgenn.ir.ops.elementwise import Arithmetic
from edgenn.passes.base import Pass
from edgenn.passes.rewriter import Rewriter

FUSABLE = (
    Conv2D | DepthwiseConv2D | TransposeConv2D | FullyConnected | Arithmetic | MaxPool2D
    | AveragePool2D
)  # fmt: skip
"""Operators with an ``activation`` attribute."""

CLAMPS: dict[Activation, type[Clamp]] = {
    Activation.RELU: Relu,
    Activation.RELU6: Relu6,
    Activation.RELU_N1_TO_1: ReluN1To1,
}
BY_BOUNDS = {activation.bounds: activation for activation in Activation}

Bounds = tuple[float, float]


class FuseActivations(Pass):
    """Fuses clamps: relu, relu6, relu_n1_to_1, and maximum or minimum with a constant.

    Rules:

    1. A clamp of a clamp becomes one clamp, where an activation has the joint bounds.
    2. A maximum or minimum whose bounds are those of an activation becomes that activation.
    3. A clamp moves into the ``activation`` of the op that makes its input.
    4. A clamp to bounds that its input keeps anyway goes.
    """

    name = "fuse_activations"

    def rewrite(self, op: Op, graph: Rewriter) -> None:
        bounds = clamp_bounds(op, graph)
        if bounds is None:
            return
        source = data_input(op, graph)
        known = known_bounds(source, graph)
        if compose(known, bounds) == known and graph.bypass(op, source):
            return
        while (before := inner_clamp(source, graph)) is not None:
            joint = compose(clamp_bounds(before, graph), bounds)
            if joint not in BY_BOUNDS and isinstance(op.operator, Clamp):
                break
            bounds, source = joint, data_input(before, graph)
        producer = graph.producer(source)
        if producer is not None and isinstance(producer.operator, FUSABLE):
            joint = compose(producer.operator.activation.bounds, bounds)
            if graph.is_single_use(source) and joint in BY_BOUNDS:
                graph.replace(op, fused(producer, BY_BOUNDS[joint], op.output))
                return
        clamp = CLAMPS.get(BY_BOUNDS.get(bounds, Activation.NONE))
        if clamp is not None and (op.operator != clamp() or source != op.inputs[0]):
            graph.replace(op, graph.make(clamp(), [source], op.output))


def clamp_bounds(op: Op, graph: Rewriter) -> Bounds | None:
    """Lower and upper bound where ``op`` clamps one float32 input, else ``None``."""
    operator: Operator = op.operator
    if not isinstance(operator, Clamp | Maximum | Minimum):
        return None
    if graph.tensors[op.output].dtype != "float32":
        return None
    if isinstance(operator, Clamp):
        return operator.bound.bounds
    limit = scalar_limit(op, graph)
    if limit is None:
        return None
    return (limit, np.inf) if isinstance(operator, Maximum) else (-np.inf, limit)


def scalar_limit(op: Op, graph: Rewriter) -> float | None:
    """The constant input of a maximum or minimum, if it holds one number throughout."""
    values = [value for name in op.inputs if (value := graph.value(name)) is not None]
    if len(values) != 1 or values[0].size == 0 or np.any(values[0] != values[0].flat[0]):
        return None
    if graph.tensors[data_input(op, graph)].shape != graph.tensors[op.output].shape:
        return None
    return float(values[0].flat[0])


def data_input(op: Op, graph: Rewriter) -> str:
    """The input that is not a constant."""
    return next(name for name in op.inputs if graph.value(name) is None)


def inner_clamp(name: str, graph: Rewriter) -> Op | None:
    """The clamp that makes a tensor nobody else reads."""
    producer = graph.producer(name)
    if producer is None or not graph.is_single_use(name):
        return None
    return None if clamp_bounds(producer, graph) is None else producer


def known_bounds(name: str, graph: Rewriter) -> Bounds:
    """The bounds that the clamps before a tensor impose on it."""
    clamps: list[Bounds] = []
    while (producer := graph.producer(name)) is not None:
        bounds = clamp_bounds(producer, graph)
        if bounds is None:
            if isinstance(producer.operator, FUSABLE):
                clamps.append(producer.operator.activation.bounds)
            break
        clamps.append(bounds)
        name = data_input(producer, graph)
    total = Activation.NONE.bounds
    for bounds in reversed(clamps):
        total = compose(total, bounds)
    return total


def compose(first: Bounds | None, then: Bounds) -> Bounds:
    """The bounds of a clamp after a clamp."""
    assert first is not None
    low, high = (min(max(bound, then[0]), then[1]) for bound in first)
    return low, high


def fused(producer: Op, activation: Activation, output: str) -> Op:
    operator = producer.operator
    assert isinstance(operator, FUSABLE)
    return Op(output, replace(operator, activation=activation), producer.inputs, (output,))
