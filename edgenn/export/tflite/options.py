"""Words of the graph in numbers of the schema."""

from ai_edge_litert import schema_py_generated as schema

from edgenn.ir.operator import Activation, Padding

PADDINGS: dict[Padding, int] = {
    Padding.SAME: schema.Padding.SAME,
    Padding.VALID: schema.Padding.VALID,
}

ACTIVATIONS: dict[Activation, int] = {
    Activation.NONE: schema.ActivationFunctionType.NONE,
    Activation.RELU: schema.ActivationFunctionType.RELU,
    Activation.RELU6: schema.ActivationFunctionType.RELU6,
    Activation.RELU_N1_TO_1: schema.ActivationFunctionType.RELU_N1_TO_1,
}
