"""Graphs of one recurrent operator, with random weights and data."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph
from edgenn.ir.ops import Elu, LeakyRelu, Mul, Relu
from edgenn.ir.ops.cell import CellActivation, named_activation
from edgenn.ir.ops.recurrent import Gru, Lstm, Recurrent
from edgenn.ir.tensor import Array, Shape

ALL_OUTPUTS = ("sequence", "h", "c")


def add_recurrent(
    builder: GraphBuilder,
    operator: Recurrent,
    x: str,
    others: Sequence[str] = (),
    *,
    scope: str = "rnn",
    seed: int = 0,
) -> tuple[str, ...]:
    """Adds the operator with random weights.

    Args:
        others: Initial states and mask.
    """
    rng = np.random.default_rng(seed)
    features = builder.tensors[x].shape[2] or 1
    rows = operator.gates * operator.units
    shapes = {
        "kernel": (rows, features),
        "recurrent_kernel": (rows, operator.units),
        "bias": (rows,),
        "recurrent_bias": (rows,),
    }
    weights = [
        builder.constant(f"{scope}/{name}", rng.uniform(-0.6, 0.6, shape).astype("float32"))
        for name, shape in list(shapes.items())[: operator.weights]
    ]
    names = [f"{scope}/{name}" for name in ("sequence", *operator.state_names)]
    return builder.add_multiple(operator, [x, *weights, *others], names)


def add_inputs(builder: GraphBuilder, operator: Recurrent, batch: int | None, steps: int | None):
    """Inputs for the initial states and the mask that the operator takes."""
    others = []
    if operator.initial:
        others = [builder.input(f"{n}0", (batch, operator.units)) for n in operator.state_names]
    if operator.masked:
        others.append(builder.input("mask", (batch, steps), "bool"))
    return others


def recurrent_graph(
    operator: Recurrent,
    *,
    batch: int | None = None,
    steps: int | None = None,
    features: int = 3,
    outputs: Sequence[str] = ALL_OUTPUTS,
) -> Graph:
    """Inputs ``x``, ``h0``, ``c0``, ``mask``; outputs ``sequence``, ``h``, ``c``."""
    builder = GraphBuilder("net")
    x = builder.input("x", (batch, steps, features))
    others = add_inputs(builder, operator, batch, steps)
    made = add_recurrent(builder, operator, x, others)
    results = dict(zip(("sequence", *operator.state_names), made, strict=True))
    return builder.finish({name: results[name] for name in outputs if name in results})


def recurrent_inputs(
    graph: Graph, *, batch: int = 4, steps: int = 6, seed: int = 1
) -> dict[str, Array]:
    """Random data; masks of every kind: scattered, one row all false, one row all true."""
    rng = np.random.default_rng(seed)
    result: dict[str, Array] = {}
    for public, name in graph.inputs.items():
        tensor = graph.tensors[name]
        shape = filled(tensor.shape, batch, steps)
        if tensor.dtype == "bool":
            mask = rng.random(shape) < 0.6
            mask[0] = False
            mask[-1:] = True
            result[public] = mask
        else:
            result[public] = rng.normal(size=shape).astype(tensor.dtype)
    return result


def filled(shape: Shape, batch: int, steps: int) -> tuple[int, ...]:
    sizes = (batch, steps, *shape[2:])
    return tuple(size if size is not None else sizes[axis] or 1 for axis, size in enumerate(shape))


def assert_close(
    ours: Mapping[str, Array], theirs: Mapping[str, Array], tolerance: float = 2e-6
) -> None:
    """Every array is the same to ``tolerance`` of its range."""
    assert ours.keys() == theirs.keys()
    for name, mine in ours.items():
        other = theirs[name]
        assert mine.shape == other.shape, name
        limit = tolerance * max(1.0, float(np.abs(mine).max(initial=0)))
        np.testing.assert_allclose(other, mine, rtol=0, atol=limit, err_msg=name)


def activation(name: str, *parameters: float) -> CellActivation:
    """An activation under its Keras name, or ``custom`` for the square of the cell's sum."""
    if name in ("tanh", "sigmoid"):
        return named_activation(name)
    builder = GraphBuilder(name)
    x = builder.input("x", (None, None))

    def number(value: float) -> str:
        return builder.constant("number", np.float32(value))

    from edgenn.ir.ops import Abs, Add, Div, Maximum, Minimum

    match name:
        case "linear":
            y = x
        case "relu":
            y = builder.add(Relu(), [x], "y")
        case "elu":
            (alpha,) = parameters
            y = builder.add(Elu(), [x], "y")
            if alpha != 1:
                raise NotImplementedError("elu of another alpha")
        case "leaky_relu":
            y = builder.add(LeakyRelu(*parameters), [x], "y")
        case "softsign":
            size = builder.add(Add(), [builder.add(Abs(), [x], "abs"), number(1)], "size")
            y = builder.add(Div(), [x, size], "y")
        case "hard_sigmoid":
            alpha, beta = parameters
            scaled = builder.add(Mul(), [x, number(alpha)], "scaled")
            shifted = builder.add(Add(), [scaled, number(beta)], "shifted")
            low = builder.add(Maximum(), [shifted, number(0)], "low")
            y = builder.add(Minimum(), [low, number(1)], "y")
        case "custom":
            y = builder.add(Mul(), [x, x], "y")
        case _:
            raise NotImplementedError(name)
    return CellActivation(name, builder.finish({"y": y}), tuple(parameters))


def with_activations(operator: Recurrent, cell: CellActivation, gate: CellActivation) -> Recurrent:
    if isinstance(operator, Lstm | Gru):
        return replace(operator, activation=cell, recurrent_activation=gate)
    return replace(operator, activation=cell)
