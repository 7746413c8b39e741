"""Stored integers as plain int32."""

from ai_edge_litert import schema_py_generated as schema

from edgenn.export.tflite.context import TENSOR_TYPES, Context


def in_int32(name: str, owner: str, context: Context) -> int:
    """Writes a CAST; the index of the tensor that holds the same integers without parameters.

    Args:
        owner: The op it is for.
    """
    x = context.tensor(name)
    options = schema.CastOptionsT()
    options.inDataType, options.outDataType = TENSOR_TYPES[x.dtype], TENSOR_TYPES["int32"]
    result = context.temporary(f"{owner}/int32", x.shape, "int32")
    context.emit("CAST", [context.index(name)], [result], options)
    return result
