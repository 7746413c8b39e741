"""Which of an op's inputs are activations, weights, a bias or parameters."""

from collections.abc import Mapping
from dataclasses import dataclass

from edgenn.placement.program import Node, Value


@dataclass(frozen=True)
class Roles:
    """Numbers of inputs; all others are activations.

    Attributes:
        weights: The kernels.
        bias: What is added to the products.
        parameters: Axes, paddings, shapes …: they say how, not what.
    """

    weights: tuple[int, ...] = ()
    bias: int | None = None
    parameters: tuple[int, ...] = ()


SECOND = Roles(parameters=(1,))
WEIGHTED = Roles(weights=(1,), bias=2)

ROLES: Mapping[str, Roles] = {
    # TFLite
    "CONV_2D": WEIGHTED,
    "DEPTHWISE_CONV_2D": WEIGHTED,
    "FULLY_CONNECTED": WEIGHTED,
    "TRANSPOSE_CONV": Roles(weights=(1,), bias=3, parameters=(0,)),
    # states, peepholes, projection and normalisation are no activations either
    "UNIDIRECTIONAL_SEQUENCE_LSTM": Roles(tuple(range(1, 9)), 12, tuple(range(9, 24))),
    **dict.fromkeys(
        [
            *["RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE", "TILE", "BROADCAST_TO", "CUMSUM"],
            *["MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "REDUCE_ANY", "REDUCE_ALL"],
            *["ARG_MAX", "ARG_MIN", "REVERSE_V2", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"],
            *["PAD", "MIRROR_PAD", "GATHER", "GATHER_ND", "TOPK_V2"],
        ],
        SECOND,
    ),
    "PADV2": Roles(parameters=(1, 2)),
    "SLICE": Roles(parameters=(1, 2)),
    "STRIDED_SLICE": Roles(parameters=(1, 2, 3)),
    "SPACE_TO_BATCH_ND": Roles(parameters=(1, 2)),
    "BATCH_TO_SPACE_ND": Roles(parameters=(1, 2)),
    "DYNAMIC_UPDATE_SLICE": Roles(parameters=(2,)),
    "SPLIT": Roles(parameters=(0,)),
    "SPLIT_V": Roles(parameters=(1, 2)),
    "FILL": Roles(parameters=(0,)),
    "ONE_HOT": Roles(parameters=(1, 2, 3)),
    # ONNX
    "Conv": WEIGHTED,
    "ConvTranspose": WEIGHTED,
    "Gemm": WEIGHTED,
    "LSTM": Roles(weights=(1, 2), bias=3, parameters=(4,)),
    "GRU": Roles(weights=(1, 2), bias=3, parameters=(4,)),
    "RNN": Roles(weights=(1, 2), bias=3, parameters=(4,)),
    "QuantizeLinear": Roles(parameters=(1, 2)),
    "DequantizeLinear": Roles(parameters=(1, 2)),
    "Clip": Roles(parameters=(1, 2)),
    "Slice": Roles(parameters=(1, 2, 3, 4)),
    "Pad": Roles(parameters=(1, 2, 3)),
    "Resize": Roles(parameters=(1, 2, 3)),
    **dict.fromkeys(
        [
            *["Reshape", "Squeeze", "Unsqueeze", "Expand", "Tile", "Split", "CumSum", "TopK"],
            *["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd"],
            *["Gather", "GatherElements", "GatherND", "OneHot"],
        ],
        SECOND,
    ),
}
"""Kind → roles; kinds that are missing have activations only."""

NOTHING_SPECIAL = Roles()


def roles_of(node: Node) -> Roles:
    return ROLES.get(node.kind, NOTHING_SPECIAL)


def activations(node: Node) -> list[Value]:
    """What it reads of what flows through the model, constants among it."""
    roles = roles_of(node)
    special = {*roles.weights, *roles.parameters, roles.bias}
    return [v for i, v in enumerate(node.inputs) if v is not None and i not in special]


def flowing(node: Node) -> list[Value]:
    """All that it reads or makes of what flows through the model."""
    return [*activations(node), *node.outputs]


def first(node: Node) -> Value | None:
    return next(iter(activations(node)), None)


def weights(node: Node) -> list[Value]:
    return [v for i in roles_of(node).weights if (v := node.input(i)) is not None]


def bias(node: Node) -> Value | None:
    index = roles_of(node).bias
    return None if index is None else node.input(index)


def parameters(node: Node) -> list[Value]:
    return [v for i in roles_of(node).parameters if (v := node.input(i)) is not None]
