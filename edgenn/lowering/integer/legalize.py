"""Replaces ops without a trustworthy integer kernel by others that compute the same.

It runs before calibration, so that the tensors that it adds are calibrated like all others.
"""

from edgenn.ir.graph import Graph
from edgenn.lowering.integer.composer import Composer
from edgenn.lowering.integer.inputs import with_cast_inputs
from edgenn.lowering.integer.registry import load_rules
from edgenn.lowering.integer.tables import with_tables


def legalize(graph: Graph, dtype: str) -> Graph:
    """The float graph in ops that have kernels for activations of ``dtype``, as far as there are.

    Args:
        dtype: ``int8`` or ``int16``.

    Returns:
        A graph that computes the same up to float32 rounding, under the same names; the same
        object where nothing was to do. Inputs that are only read in another dtype have that.
    """
    load_rules()
    legal = Composer(with_cast_inputs(graph), dtype).run()
    return with_tables(legal) if dtype == "int8" else legal
