"""The forms that recurrent layers are written in, and what they are by default."""

from collections.abc import Callable
from enum import StrEnum

from edgenn.ir.graph import Graph
from edgenn.ir.ops.recurrent import Recurrent
from edgenn.ir.ops.scan import Scan
from edgenn.lowering.recurrent.blocks import in_blocks
from edgenn.lowering.recurrent.fused import to_fused
from edgenn.lowering.recurrent.loop import to_loops
from edgenn.lowering.recurrent.native import to_native
from edgenn.lowering.recurrent.step import to_step
from edgenn.lowering.recurrent.unrolled import ops_of_copies, require_steps, unrolled


class Form(StrEnum):
    """What is written for a recurrent layer."""

    LOOP = "loop"
    """A loop over time behind one product for all steps: WHILE in TFLite."""
    FUSED = "fused"
    """TFLite's UNIDIRECTIONAL_SEQUENCE_LSTM."""
    UNROLLED = "unrolled"
    """One copy of the cell for each step."""
    STEP = "step"
    """One step; the states are inputs and outputs."""
    NATIVE = "native"
    """ONNX's LSTM, GRU and RNN."""


FORMS: dict[Form, Callable[[Graph], Graph]] = {
    Form.LOOP: lambda graph: in_blocks(to_loops(graph)),
    Form.FUSED: to_fused,
    Form.UNROLLED: unrolled,
    Form.STEP: to_step,
    Form.NATIVE: to_native,
}


MANY_OPS = 2_000
"""Beyond this many ops an unrolled file is worth a warning."""


def lowered(graph: Graph, form: Form) -> Graph:
    """The graph with its recurrent layers in a form; the same object if it has none.

    Raises:
        UnsupportedError: A layer that the form cannot have.
    """
    return FORMS[form](graph) if is_recurrent(graph) else graph


def is_recurrent(graph: Graph) -> bool:
    """Whether the graph runs over time."""
    return any(isinstance(op.operator, Recurrent | Scan) for op in graph.ops)


def require_form(graph: Graph, form: Form) -> None:
    """Whether the graph's layers can have a form, before any work is put into it.

    Raises:
        UnsupportedError: A layer that the form cannot have.
    """
    if form is Form.UNROLLED:
        require_steps(graph)
    elif form in (Form.FUSED, Form.STEP):
        lowered(graph, form)


def warning_of(graph: Graph, form: Form) -> str | None:
    """What to tell whoever asked for a form before it is made."""
    if form is not Form.UNROLLED:
        return None
    count = ops_of_copies(graph)
    if count <= MANY_OPS:
        return None
    return f"unrolling makes {count:,} ops: the file will be large and slow to load (--rnn loop)"
