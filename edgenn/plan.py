"""Which files a conversion writes, and how each of them holds recurrent layers."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from edgenn.errors import EdgennWarning, UnsupportedError, UsageError
from edgenn.ir.graph import Graph
from edgenn.lowering.recurrent.forms import Form, is_recurrent, require_form, warning_of
from edgenn.lowering.recurrent.fused import require_integer_kernel
from edgenn.options import DEFAULT_RNN_FORM, DEFAULT_RNN_PRECISION
from edgenn.quantization.schemes import Gates, Scheme

STATEFUL = "stateful"
"""Key of ``Graph.metadata``: the paths of layers that keep their state between calls."""


@dataclass(frozen=True)
class Build:
    """One file.

    Attributes:
        form: Of recurrent layers; ``None`` where there are none.
        gates: Their precision in full-integer schemes.
    """

    scheme: Scheme
    format: str
    form: Form | None
    gates: Gates


def builds(
    graph: Graph, schemes: Sequence[Scheme], formats: Sequence[str], rnn: str, precision: str
) -> list[Build]:
    """The files to write, scheme by scheme.

    Args:
        rnn: One of ``RNN_FORMS``.
        precision: One of ``RNN_PRECISIONS``.

    Raises:
        UnsupportedError: A layer that the form asked for cannot have.
    """
    result = []
    forms = {format_: chosen_form(graph, format_, rnn) for format_ in dict.fromkeys(formats)}
    for form in dict.fromkeys(forms.values()):
        if form is not None:
            require_form(graph, form)
            if (text := warning_of(graph, form)) is not None:
                warnings.warn(EdgennWarning(text), stacklevel=3)
    for scheme in schemes:
        for format_, form in forms.items():
            gates = chosen_gates(scheme, format_, form, precision)
            if gates is Gates.FUSED:
                require_integer_kernel(graph)
            result.append(Build(scheme, format_, form, gates))
    return result


def chosen_form(graph: Graph, format_: str, rnn: str) -> Form | None:
    """The form asked for, in the words of the file's format."""
    if not is_recurrent(graph):
        return None
    if rnn == DEFAULT_RNN_FORM:
        rnn = Form.STEP if graph.metadata.get(STATEFUL) else Form.LOOP
    form = Form(rnn)
    if format_ == "onnx" and form in (Form.LOOP, Form.FUSED):
        return Form.NATIVE
    return form


def chosen_gates(scheme: Scheme, format_: str, form: Form | None, precision: str) -> Gates:
    """The precision asked for, or the one that drifts least on what the form is for.

    Processors compute gates in float, and ONNX Runtime's kernels take nothing else. Targets of
    unrolled TFLite files have integers only, and 16 bits keep a state over many steps; so do
    the kernels of int16x8.
    """
    if form is None or format_ == "onnx" or not scheme.is_full_integer:
        return Gates.FLOAT32
    if form is Form.FUSED:
        return fused_gates(scheme, precision)
    if precision != DEFAULT_RNN_PRECISION:
        return Gates(precision)
    if scheme is Scheme.INT16X8 or form is Form.UNROLLED:
        return Gates.INT16
    return Gates.FLOAT32


def fused_gates(scheme: Scheme, precision: str) -> Gates:
    """The one precision of TFLite's fused LSTM.

    Raises:
        UnsupportedError: LiteRT's kernel does not take the scheme's activations.
        UsageError: Another precision was asked for.
    """
    if scheme is not Scheme.INT8:
        raise UnsupportedError(
            f"LiteRT's fused LSTM takes no {scheme} activations", "--rnn loop has them"
        )
    if precision != DEFAULT_RNN_PRECISION:
        raise UsageError(
            f"the fused LSTM computes in {Gates.FUSED}: its precision is no choice",
            f"leave --rnn-precision out, or take --rnn loop for {precision} gates",
        )
    return Gates.FUSED
