"""Replaces ops without a trustworthy integer kernel by others that compute the same.

It runs before calibration, so that the tensors that it adds are calibrated like all others.
"""

from collections.abc import Callable

from edgenn.ir.flat_loops import inside
from edgenn.ir.graph import Graph, Op
from edgenn.ir.precision import KEPT, WIDE, ops_in
from edgenn.lowering.integer.composer import Composer
from edgenn.lowering.integer.inputs import with_cast_inputs
from edgenn.lowering.integer.registry import load_rules
from edgenn.lowering.integer.tables import with_tables


def legalize(graph: Graph, dtype: str, *, loop_dtype: str | None = None) -> Graph:
    """The float graph in ops that have kernels for activations of ``dtype``, as far as there are.

    Args:
        graph: Loops whose cells are to be legal, too, are laid flat.
        dtype: ``int8`` or ``int16``.
        loop_dtype: The same inside of loops; ``dtype`` by default.

    Returns:
        A graph that computes the same up to float32 rounding, under the same names; the same
        object where nothing was to do. Inputs that are only read in another dtype have that.
    """
    load_rules()
    source = with_cast_inputs(graph)
    legal = Composer(source, dtype_of_ops(source, dtype, loop_dtype)).run()
    dtype_of = dtype_of_ops(legal, dtype, loop_dtype)
    return with_tables(legal, lambda op: dtype_of(op) == "int8")


def dtype_of_ops(graph: Graph, dtype: str, loop_dtype: str | None) -> Callable[[Op], str]:
    """What each op of a graph computes in; ops that stay in float have no rules."""
    special = {
        **dict.fromkeys(ops_in(graph, KEPT), KEPT),
        **dict.fromkeys(ops_in(graph, WIDE), WIDE),
    }
    if loop_dtype is not None and loop_dtype != dtype:
        special = {**dict.fromkeys(inside(graph), loop_dtype), **special}
    return lambda op: special.get(op.name, dtype)
