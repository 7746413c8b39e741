"""Element-wise operators: arithmetic, comparison, selection and unary functions."""

from typing import Any

from ai_edge_litert import schema_py_generated as schema

from edgenn.export.tflite.builtins import Builtin, Builtins, emit_builtin
from edgenn.export.tflite.context import Context
from edgenn.export.tflite.options import ACTIVATIONS
from edgenn.export.tflite.registry import emitter
from edgenn.export.tflite.scale_limits import require_scales
from edgenn.ir import ops
from edgenn.ir.graph import Op


def _fused_activation(options: Any, operator: Any) -> None:
    options.fusedActivationFunction = ACTIVATIONS[operator.activation]


def _general_scales(options: Any, operator: Any) -> None:
    """int16 with any scale: the other kernel wants powers of two (and is the schema's default)."""
    _fused_activation(options, operator)
    options.potScaleInt16 = False


ELEMENTWISE: Builtins = {
    ops.Add: Builtin("ADD", schema.AddOptionsT, _general_scales),
    ops.Sub: Builtin("SUB", schema.SubOptionsT, _general_scales),
    ops.Mul: Builtin("MUL", schema.MulOptionsT, _fused_activation),
    ops.Div: Builtin("DIV", schema.DivOptionsT, _fused_activation),
    ops.Maximum: Builtin("MAXIMUM", schema.MaximumMinimumOptionsT),
    ops.Minimum: Builtin("MINIMUM", schema.MaximumMinimumOptionsT),
    ops.Pow: Builtin("POW", schema.PowOptionsT),
    ops.SquaredDifference: Builtin("SQUARED_DIFFERENCE", schema.SquaredDifferenceOptionsT),
    ops.FloorDiv: Builtin("FLOOR_DIV", schema.FloorDivOptionsT),
    ops.FloorMod: Builtin("FLOOR_MOD", schema.FloorModOptionsT),
    ops.Equal: Builtin("EQUAL", schema.EqualOptionsT),
    ops.NotEqual: Builtin("NOT_EQUAL", schema.NotEqualOptionsT),
    ops.Less: Builtin("LESS", schema.LessOptionsT),
    ops.LessEqual: Builtin("LESS_EQUAL", schema.LessEqualOptionsT),
    ops.Greater: Builtin("GREATER", schema.GreaterOptionsT),
    ops.GreaterEqual: Builtin("GREATER_EQUAL", schema.GreaterEqualOptionsT),
    ops.LogicalAnd: Builtin("LOGICAL_AND", schema.LogicalAndOptionsT),
    ops.LogicalOr: Builtin("LOGICAL_OR", schema.LogicalOrOptionsT),
    ops.LogicalNot: Builtin("LOGICAL_NOT", schema.LogicalNotOptionsT),
    ops.Abs: Builtin("ABS", schema.AbsOptionsT),
    ops.Neg: Builtin("NEG", schema.NegOptionsT),
    ops.Exp: Builtin("EXP", schema.ExpOptionsT),
    ops.Log: Builtin("LOG"),
    ops.Sqrt: Builtin("SQRT"),
    ops.Rsqrt: Builtin("RSQRT"),
    ops.Square: Builtin("SQUARE", schema.SquareOptionsT),
    ops.Sin: Builtin("SIN"),
    ops.Cos: Builtin("COS", schema.CosOptionsT),
    ops.Floor: Builtin("FLOOR"),
    ops.Ceil: Builtin("CEIL"),
    ops.Round: Builtin("ROUND"),
    ops.Sign: Builtin("SIGN"),
    ops.Select: Builtin("SELECT_V2", schema.SelectV2OptionsT),
}


@emitter(*ELEMENTWISE)
def elementwise(op: Op, context: Context) -> None:
    require_scales(op, context)
    emit_builtin(ELEMENTWISE[type(op.operator)], op, context)
