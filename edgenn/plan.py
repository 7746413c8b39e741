"""Which files a conversion writes, and how each of them holds recurrent layers."""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from edgenn.errors import EdgennWarning, UnsupportedError, UsageError
from edgenn.ir.graph import Graph
from edgenn.ir.layers import chosen_layers
from edgenn.ir.ops import Recurrent, Scan
from edgenn.ir.precision import ONE_PRECISION, LayerPrecision, ops_of_layers
from edgenn.lowering.recurrent.forms import Form, is_recurrent, require_form, warning_of
from edgenn.lowering.recurrent.fused import require_integer_kernel
from edgenn.options import DEFAULT_RNN_FORM, DEFAULT_RNN_PRECISION
from edgenn.quantization.schemes import Gates, Scheme
from edgenn.targets.profile import DEFAULT_DIALECT, Profile

HLS4ML = "hls4ml"
"""The format whose layers are those of hls4ml: recurrent ones are whole."""

MIXED = "mixed"
"""In the names of files whose layers have more than one precision."""

Start = tuple[Scheme, Gates, LayerPrecision]
"""What decides how a full-integer graph is made."""

STATEFUL = "stateful"
"""Key of ``Graph.metadata``: the paths of layers that keep their state between calls."""


@dataclass(frozen=True)
class Build:
    """One file.

    Attributes:
        form: Of recurrent layers; ``None`` where there are none.
        gates: Their precision in full-integer schemes.
        batch: What the batch is fixed to; ``None`` where it stays open.
        dialect: Whose ops it is written in, where a runtime does not compute LiteRT's as LiteRT
            does: one of ``compiler.DIALECTS``.
        variant: What tells its file from others of its scheme and format, such as
            ``unrolled.batch1``.
        targets: Those that it is written for.
        layers: Those of another precision than the others.
        float_gates: Every recurrent layer stays in float, whatever ``gates`` says.
    """

    scheme: Scheme
    format: str
    form: Form | None
    gates: Gates
    batch: int | None = None
    dialect: str = DEFAULT_DIALECT
    variant: str = ""
    targets: tuple[str, ...] = ()
    layers: LayerPrecision = ONE_PRECISION
    float_gates: bool = False

    @property
    def base(self) -> Scheme:
        """What layers are in that are not named: where some are in 16 bits, the others in 8."""
        return Scheme.INT8 if self.layers.wide else self.scheme

    @property
    def start(self) -> Start:
        return self.base, self.gates, self.layers

    def file(self, name: str) -> str:
        """The file's name in the bundle of a model."""
        parts = (name, str(self.scheme), self.variant, self.format)
        return ".".join(part for part in parts if part)


def builds(
    graph: Graph,
    schemes: Sequence[Scheme],
    formats: Sequence[str],
    rnn: str,
    precision: str,
    batch: int | None = None,
    layers: LayerPrecision = ONE_PRECISION,
) -> list[Build]:
    """The files to write, scheme by scheme.

    Args:
        rnn: One of ``RNN_FORMS``.
        precision: One of ``RNN_PRECISIONS``.
        batch: What the batch is fixed to.
        layers: Those of another precision, in schemes that can have such.

    Raises:
        UnsupportedError: A layer that the form asked for cannot have.
    """
    result = []
    forms = {format_: chosen_form(graph, format_, rnn) for format_ in dict.fromkeys(formats)}
    require_forms(graph, forms.values())
    for scheme in schemes:
        for format_, form in forms.items():
            if not go_together(scheme, format_):
                continue
            own = layers_in(layers, scheme, form)
            base = base_of(graph, scheme, form, own)
            gates = gates_of(graph, base, format_, form, precision)
            build = Build(scheme, format_, form, gates, batch, layers=own)
            build = with_gates_of_layers(graph, build)
            result.append(replace(build, variant=MIXED if own.is_mixed else ""))
    return result


def layers_in(layers: LayerPrecision, scheme: Scheme, form: Form | None) -> LayerPrecision:
    """The layers of another precision that a file of a scheme can have."""
    kept = layers.kept if scheme.is_quantized else ()
    wide = layers.wide if scheme is Scheme.INT16X8 else ()
    # ONNX's recurrent operators compute in float
    return LayerPrecision(kept, wide, wide_gates=form is not Form.NATIVE or not wide)


def base_of(graph: Graph, scheme: Scheme, form: Form | None, layers: LayerPrecision) -> Scheme:
    """What decides about the gates: the scheme of the layers that are not named."""
    if not layers.wide:
        return scheme
    named = recurrent_ops(graph) & ops_of_layers(graph, layers.wide)
    return scheme if form is Form.FUSED and named else Scheme.INT8


def with_gates_of_layers(graph: Graph, build: Build) -> Build:
    """The build, once it is known which recurrent layers have another precision."""
    loops = recurrent_ops(graph)
    if not loops or not build.scheme.is_full_integer:
        return build
    others = loops - ops_of_layers(graph, build.layers.kept)
    wide = ops_of_layers(graph, build.layers.wide) if build.layers.wide_gates else frozenset()
    if not others:
        return replace(build, float_gates=True)
    return replace(build, gates=Gates.INT16) if others <= wide else build


def recurrent_ops(graph: Graph) -> frozenset[str]:
    """Names of the ops that run over time."""
    return frozenset(op.name for op in graph.ops if isinstance(op.operator, Recurrent | Scan))


def layer_precision(graph: Graph, keep_float: Sequence[str], only: Sequence[str]) -> LayerPrecision:
    """The layers that are meant by paths and patterns.

    Args:
        keep_float: Those that stay in float32.
        only: Those that alone compute in 16 bits.

    Raises:
        UsageError: No such layer, one without anything to quantise, or one of both kinds.
    """
    kept = chosen_layers(graph, keep_float, "to keep in float32")
    wide = chosen_layers(graph, only, "to compute in 16 bits")
    both = ops_of_layers(graph, kept) & ops_of_layers(graph, wide)
    if both:
        raise UsageError(
            f"{', '.join(sorted(both))}: to be kept in float32, and to compute in 16 bits",
            "name a layer with --keep-float or with --only",
        )
    return LayerPrecision(kept, wide)


def go_together(scheme: Scheme, format_: str) -> bool:
    """Whether a format can hold a scheme."""
    return (scheme is Scheme.FIXED16) == (format_ == HLS4ML)


def require_forms(graph: Graph, forms: Iterable[Form | None]) -> None:
    """Whether the graph's layers can have the forms; warns of what is odd about one."""
    for form in dict.fromkeys(forms):
        if form is not None:
            require_form(graph, form)
            if (text := warning_of(graph, form)) is not None:
                warnings.warn(EdgennWarning(text), stacklevel=4)


def builds_for_targets(
    graph: Graph,
    profiles: Sequence[Profile],
    schemes: Sequence[Scheme],
    rnn: str,
    precision: str,
    batch: int | None = None,
    layers: LayerPrecision = ONE_PRECISION,
) -> list[Build]:
    """The files that targets need; two that need the same share one.

    Args:
        schemes: What was asked for; nothing, for what each target is best at.
        rnn: One of ``RNN_FORMS``; ``auto`` for what each target takes.
        precision: One of ``RNN_PRECISIONS``.
        batch: For targets that leave it open.
        layers: Those of another precision, in schemes that can have such.

    Raises:
        UsageError: A target takes none of the schemes.
        UnsupportedError: A layer that cannot have any form that a target takes.
    """
    shared: dict[Build, list[str]] = {}
    for profile in profiles:
        rules = profile.artifact
        for scheme in schemes_for(profile, schemes):
            form, gates = recurrence_for(graph, profile, scheme, rnn, precision, layers)
            size = rules.batch or batch
            own = layers_in(layers, scheme, form)
            build = Build(scheme, rules.format, form, gates, size, rules.dialect, layers=own)
            shared.setdefault(with_gates_of_layers(graph, build), []).append(profile.name)
    require_forms(graph, (build.form for build in shared))
    return [
        replace(build, targets=tuple(names), variant=variant(build, batch))
        for build, names in shared.items()
    ]


def schemes_for(profile: Profile, asked: Sequence[Scheme]) -> list[Scheme]:
    """Of the schemes asked for, those that a target takes; its best one by default."""
    known = [Scheme(scheme) for scheme in profile.artifact.schemes]
    taken = [scheme for scheme in asked if scheme in known] if asked else known[:1]
    if not taken:
        raise UsageError(
            f"{profile.name} takes {' or '.join(known)}, not {' or '.join(asked)}",
            f"add --quantize {known[0]}",
        )
    return taken


def recurrence_for(
    graph: Graph,
    profile: Profile,
    scheme: Scheme,
    rnn: str,
    precision: str,
    layers: LayerPrecision,
) -> tuple[Form | None, Gates]:
    """The first form that a target takes and that all of the model's layers can have."""
    rules = profile.artifact

    def gates(form: Form | None) -> Gates:
        base = base_of(graph, scheme, form, layers_in(layers, scheme, form))
        return gates_for(graph, profile, base, form, precision)

    if rnn != DEFAULT_RNN_FORM or not rules.recurrent or not is_recurrent(graph):
        form = chosen_form(graph, rules.format, rnn)
        allowed = (None, Form.STEP, *map(Form, rules.recurrent))
        if rules.recurrent and form not in allowed:
            raise UsageError(
                f"{profile.name} takes recurrent layers {' or '.join(rules.recurrent)}, not {form}",
                "leave --rnn out",
            )
        return form, gates(form)
    reasons = []
    for form in map(Form, rules.recurrent):
        try:
            require_form(graph, form)
            return form, gates(form)
        except (UnsupportedError, UsageError) as error:
            reasons.append(f"{form}: {error.message}")
    raise UnsupportedError(
        f"{profile.name} takes recurrent layers {' or '.join(rules.recurrent)}"
        f" ({'; '.join(reasons)})",
        "choose a target that runs loops, such as cpu-xnnpack",
    )


def gates_for(
    graph: Graph, profile: Profile, scheme: Scheme, form: Form | None, precision: str
) -> Gates:
    """What was asked for, else what the target wants, as far as the form has a choice."""
    rules = profile.artifact
    if precision == DEFAULT_RNN_PRECISION and form is not Form.FUSED:
        precision = rules.gates
    if rules.format == "onnx" and form is Form.UNROLLED and scheme.is_full_integer:
        # ONNX Runtime's processors have float gates; an NPU's target says that it has integers
        return Gates.FLOAT32 if precision == DEFAULT_RNN_PRECISION else Gates(precision)
    return gates_of(graph, scheme, rules.format, form, precision)


def variant(build: Build, batch: int | None) -> str:
    """What a file says in its name besides scheme and format.

    Args:
        batch: Of files that have no such word.
    """
    plain = (None, Form.LOOP, Form.NATIVE)
    parts = [MIXED] if build.layers.is_mixed else []
    if build.form not in plain:
        parts.append(str(build.form))
    if build.dialect != DEFAULT_DIALECT:
        parts.append(build.dialect)
    if build.batch != batch:
        parts.append(f"batch{build.batch}")
    return ".".join(parts)


def chosen_form(graph: Graph, format_: str, rnn: str) -> Form | None:
    """The form asked for, in the words of the file's format."""
    if format_ == HLS4ML or not is_recurrent(graph):
        return None
    if rnn == DEFAULT_RNN_FORM:
        rnn = Form.STEP if graph.metadata.get(STATEFUL) else Form.LOOP
    form = Form(rnn)
    if format_ == "onnx" and form in (Form.LOOP, Form.FUSED):
        return Form.NATIVE
    return form


def gates_of(
    graph: Graph, scheme: Scheme, format_: str, form: Form | None, precision: str
) -> Gates:
    """``chosen_gates``, once the graph's layers are known to have them."""
    gates = chosen_gates(scheme, format_, form, precision)
    if gates is Gates.FUSED:
        require_integer_kernel(graph)
    return gates


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
