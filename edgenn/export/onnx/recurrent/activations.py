"""Activations of cells in ONNX's words: a name, and ``alpha`` and ``beta`` where it takes them."""

from collections.abc import Callable, Sequence
from typing import Any

from edgenn.errors import UnsupportedError
from edgenn.ir.ops.cell import CellActivation

Parameters = tuple[float, ...]
"""Alpha and, where there are two, beta."""


def same(parameters: Parameters) -> Parameters:
    return parameters


def identity(parameters: Parameters) -> Parameters:
    """``1 · x + 0``."""
    return (1.0, 0.0)


ACTIVATIONS: dict[str, tuple[str, Callable[[Parameters], Parameters]]] = {
    "tanh": ("Tanh", same),
    "sigmoid": ("Sigmoid", same),
    "relu": ("Relu", same),
    "linear": ("Affine", identity),
    "hard_sigmoid": ("HardSigmoid", same),
    "elu": ("Elu", same),
    "leaky_relu": ("LeakyRelu", same),
    "softsign": ("Softsign", same),
}
"""Keras's name → ONNX's name, and ONNX's parameters by Keras's."""


def activation_attributes(activations: Sequence[CellActivation]) -> dict[str, Any]:
    """Attributes of a node, its functions in ONNX's order.

    Parameters stand in lists that only the functions that take them read from.

    Raises:
        UnsupportedError: A function that ONNX's recurrent operators do not have.
    """
    names: list[str] = []
    alphas: list[float] = []
    betas: list[float] = []
    for activation in activations:
        if activation.name not in ACTIVATIONS:
            raise UnsupportedError(
                f"ONNX has no recurrent layer with the activation {activation.name!r}",
                hint="lower the graph with edgenn.lowering.recurrent.native first",
            )
        name, parameters = ACTIVATIONS[activation.name]
        values = parameters(activation.parameters)
        names.append(name)
        alphas.extend(values[:1])
        betas.extend(values[1:])
    lists = {"activations": names, "activation_alpha": alphas, "activation_beta": betas}
    return {name: values for name, values in lists.items() if values}
