"""Element-wise operators: arithmetic, comparison, selection and unary functions."""

from typing import Final

from edgenn.importing.context import Context
from edgenn.importing.node import Node
from edgenn.importing.registry import handler
from edgenn.importing.words import activation
from edgenn.ir import ops
from edgenn.ir.operator import Operator
from edgenn.ir.ops.elementwise import Arithmetic

ARITHMETIC: Final[dict[str, type[Arithmetic]]] = {
    "ADD": ops.Add,
    "SUB": ops.Sub,
    "MUL": ops.Mul,
    "DIV": ops.Div,
}
PLAIN: Final[dict[str, type[Operator]]] = {
    "MAXIMUM": ops.Maximum,
    "MINIMUM": ops.Minimum,
    "POW": ops.Pow,
    "SQUARED_DIFFERENCE": ops.SquaredDifference,
    "FLOOR_DIV": ops.FloorDiv,
    "FLOOR_MOD": ops.FloorMod,
    "EQUAL": ops.Equal,
    "NOT_EQUAL": ops.NotEqual,
    "LESS": ops.Less,
    "LESS_EQUAL": ops.LessEqual,
    "GREATER": ops.Greater,
    "GREATER_EQUAL": ops.GreaterEqual,
    "LOGICAL_AND": ops.LogicalAnd,
    "LOGICAL_OR": ops.LogicalOr,
    "LOGICAL_NOT": ops.LogicalNot,
    "ABS": ops.Abs,
    "NEG": ops.Neg,
    "EXP": ops.Exp,
    "LOG": ops.Log,
    "SQRT": ops.Sqrt,
    "RSQRT": ops.Rsqrt,
    "SQUARE": ops.Square,
    "SIN": ops.Sin,
    "COS": ops.Cos,
    "FLOOR": ops.Floor,
    "CEIL": ops.Ceil,
    "ROUND": ops.Round,
    "SIGN": ops.Sign,
    "SELECT_V2": ops.Select,
}


@handler(*ARITHMETIC)
def arithmetic(node: Node, context: Context) -> None:
    fused = activation(node, context)
    context.add(ARITHMETIC[node.builtin](activation=fused), node.given, node.outputs)


@handler(*PLAIN)
def plain(node: Node, context: Context) -> None:
    context.add(PLAIN[node.builtin](), node.given, node.outputs)
