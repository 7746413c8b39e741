"""Every operator, one family a file. Importing this package fills ``Operator.registry``."""

from edgenn.ir.ops.activation import (
    Elu,
    Gelu,
    HardSwish,
    LeakyRelu,
    Logistic,
    LogSoftmax,
    Prelu,
    Relu,
    Relu6,
    ReluN1To1,
    Tanh,
)
from edgenn.ir.ops.comparison import (
    Equal,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    LogicalAnd,
    LogicalNot,
    LogicalOr,
    NotEqual,
    Select,
)
from edgenn.ir.ops.conversion import Cast, Dequantize, Quantize
from edgenn.ir.ops.convolution import Conv2D, DepthwiseConv2D, TransposeConv2D
from edgenn.ir.ops.elementwise import (
    Add,
    Div,
    FloorDiv,
    FloorMod,
    Maximum,
    Minimum,
    Mul,
    Pow,
    SquaredDifference,
    Sub,
)
from edgenn.ir.ops.filling import BroadcastTo, MirrorPad, Pad, Tile
from edgenn.ir.ops.function import ElementwiseFunction
from edgenn.ir.ops.matrix import BatchMatMul, FullyConnected
from edgenn.ir.ops.pooling import AveragePool2D, MaxPool2D
from edgenn.ir.ops.recurrent import Gru, Lstm, Recurrent, SimpleRnn
from edgenn.ir.ops.reduction import (
    ArgMax,
    ArgMin,
    CumSum,
    Mean,
    ReduceAll,
    ReduceAny,
    ReduceMax,
    ReduceMin,
    ReduceProd,
    Sum,
)
from edgenn.ir.ops.resize import ResizeBilinear, ResizeNearest
from edgenn.ir.ops.scan import Scan
from edgenn.ir.ops.shape import (
    Concatenation,
    ExpandDims,
    Gather,
    Pack,
    Reshape,
    Reverse,
    Split,
    Squeeze,
    StridedSlice,
    Transpose,
)
from edgenn.ir.ops.sizes import Fill, ShapeOf, SliceAt, UpdateSlice
from edgenn.ir.ops.softmax import Softmax
from edgenn.ir.ops.steps import CountTrue, GatherSteps
from edgenn.ir.ops.unary import (
    Abs,
    Ceil,
    Cos,
    Exp,
    Floor,
    Log,
    Neg,
    Round,
    Rsqrt,
    Sign,
    Sin,
    Sqrt,
    Square,
)
from edgenn.ir.ops.while_loop import While

__all__ = [
    "Abs", "Add", "ArgMax", "ArgMin", "AveragePool2D", "BatchMatMul", "BroadcastTo", "Cast", "Ceil",
    "Concatenation", "Conv2D", "Cos", "CountTrue", "CumSum", "DepthwiseConv2D", "Dequantize", "Div",
    "ElementwiseFunction", "Elu", "Equal", "Exp", "ExpandDims", "Fill", "Floor", "FloorDiv",
    "FloorMod", "FullyConnected", "Gather", "GatherSteps", "Gelu", "Greater", "GreaterEqual", "Gru",
    "HardSwish", "LeakyRelu", "Less", "LessEqual", "Log", "LogSoftmax", "LogicalAnd", "LogicalNot",
    "LogicalOr", "Logistic", "Lstm", "MaxPool2D", "Maximum", "Mean", "Minimum", "MirrorPad", "Mul",
    "Neg", "NotEqual", "Pack", "Pad", "Pow", "Prelu", "Quantize", "Recurrent", "ReduceAll",
    "ReduceAny", "ReduceMax", "ReduceMin", "ReduceProd", "Relu", "Relu6", "ReluN1To1", "Reshape",
    "ResizeBilinear", "ResizeNearest", "Reverse", "Round", "Rsqrt", "Scan", "Select", "ShapeOf",
    "Sign", "SimpleRnn", "Sin", "SliceAt", "Softmax", "Split", "Sqrt", "Square",
    "SquaredDifference", "Squeeze", "StridedSlice", "Sub", "Sum", "Tanh", "Tile", "Transpose",
    "TransposeConv2D", "UpdateSlice", "While",
]  # fmt: skip
