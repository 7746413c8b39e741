"""Resizing of images; TFLite takes the size as a constant input."""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgenn.export.tflite.builtins import Builtin, Builtins, emit_builtin
from edgenn.export.tflite.context import Context
from edgenn.export.tflite.registry import emitter
from edgenn.ir import ops
from edgenn.ir.graph import Op
from edgenn.ir.ops.resize import Resize


def _sampling(options: Any, operator: Any) -> None:
    options.alignCorners = operator.align_corners
    options.halfPixelCenters = operator.half_pixel_centers


RESIZE: Builtins = {
    ops.ResizeBilinear: Builtin("RESIZE_BILINEAR", schema.ResizeBilinearOptionsT, _sampling),
    ops.ResizeNearest: Builtin(
        "RESIZE_NEAREST_NEIGHBOR", schema.ResizeNearestNeighborOptionsT, _sampling
    ),
}


@emitter(*RESIZE)
def resize(op: Op, context: Context) -> None:
    operator = op.operator
    assert isinstance(operator, Resize)
    size = context.constant(f"{op.name}/size", np.array(operator.size, np.int32))
    emit_builtin(RESIZE[type(operator)], op, context, size)
