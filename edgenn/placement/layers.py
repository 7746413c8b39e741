"""Ops by the Keras layer that they come from, which their tensors are named after."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from edgenn.placement.placement import PlacedOp
from edgenn.placement.program import Program
from edgenn.placement.report import BETWEEN, LayerReport, Reason

COUNTING = frozenset({"int32", "int64", "bool"})
"""dtypes of what only counts and compares."""

UNROLLED_STEP = "step_"
"""How the copies of an unrolled layer's cell are called, with their number."""

FORMS: Mapping[str, str] = {
    "WHILE": "loop",
    "Scan": "loop",
    "Loop": "loop",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "fused",
    "LSTM": "native",
    "GRU": "native",
    "RNN": "native",
}
"""Ops that say in which form a recurrent layer is."""


def layer_of(name: str, known: Iterable[str]) -> str | None:
    """The layer whose path a tensor's name begins with; the innermost one that is known.

    The second call of a shared layer is ``path@2``.
    """
    paths = set(known)
    parts = name.split("/")
    for count in range(len(parts), 0, -1):
        prefix = "/".join(parts[:count])
        if prefix in paths or prefix.split("@")[0] in paths:
            return prefix
    return None


def owners(program: Program, ops: Sequence[PlacedOp], known: Sequence[str]) -> list[str]:
    """The layer of each op.

    Args:
        known: Paths of the model's layers; nothing where only a file is there. Its ops are told
            apart by the first part of their names then, or by their names where all share it.
    """
    names = [
        section_name(program, op) if op.section and layer_of(op.name, known) is None else op.name
        for op in ops
    ]
    if known:
        return [layer_of(name, known) or BETWEEN for name in names]
    heads = [name.split(";")[0].split("/")[0] for name in names]
    return heads if len(set(heads)) > 1 else [name.split(";")[0] for name in names]


def section_name(program: Program, op: PlacedOp) -> str:
    """What runs in a loop and has no layer's name belongs to the loop's layer."""
    return program.sections[op.section].name


def layer_reports(
    program: Program, ops: Sequence[PlacedOp], known: Sequence[str], step: bool = False
) -> tuple[LayerReport, ...]:
    """One for each layer that has ops, in the order of the file.

    Args:
        known: Paths of the model's layers in the model's order.
        step: Recurrent layers are in the form of a single step.
    """
    grouped: dict[str, list[PlacedOp]] = {}
    for op, owner in zip(ops, owners(program, ops, known), strict=True):
        grouped.setdefault(owner, []).append(op)
    absorbed = absorbed_layers(program, grouped, known)
    return tuple(
        report(layer, group, absorbed.get(layer, ()), step) for layer, group in grouped.items()
    )


def report(layer: str, ops: Sequence[PlacedOp], absorbed: Sequence[str], step: bool) -> LayerReport:
    where = Counter(op.where for op in ops)
    return LayerReport(
        layer,
        tuple(absorbed),
        "step" if step and looks_recurrent(ops) else form_of(ops),
        dict(Counter(op.kind for op in ops)),
        precision_of(ops),
        where["accelerator"],
        where["cpu"],
        where["refused"],
        counted((op.kind, op.reason) for op in ops if op.reason),
        counted((op.kind, op.pitfall) for op in ops if op.pitfall),
        sum(op.macs for op in ops),
        sum(op.weight_bytes for op in ops),
    )


def counted(pairs: Iterable[tuple[str, str]]) -> tuple[Reason, ...]:
    return tuple(Reason(op, count, text) for (op, text), count in Counter(pairs).items())


def form_of(ops: Sequence[PlacedOp]) -> str:
    """The form of a recurrent layer; empty for other layers."""
    form = next((FORMS[op.kind] for op in ops if op.kind in FORMS), "")
    is_copy = any(part.startswith(UNROLLED_STEP) for op in ops for part in op.name.split("/"))
    return form or ("unrolled" if is_copy else "")


def looks_recurrent(ops: Sequence[PlacedOp]) -> bool:
    return any("cell" in op.name.split("/") for op in ops)


def precision_of(ops: Sequence[PlacedOp]) -> tuple[str, ...]:
    macs: Counter[str] = Counter()
    for op in ops:
        macs[op.dtype] += op.macs
    real = [dtype for dtype, _ in macs.most_common() if dtype not in COUNTING]
    return tuple(real or macs)


def absorbed_layers(
    program: Program, grouped: Mapping[str, Sequence[PlacedOp]], known: Sequence[str]
) -> dict[str, list[str]]:
    """Layer with ops → layers without, which became a part of it.

    The weights that an op reads say so; a layer without weights is told with the next one.
    """
    bare = {layer.split("@")[0] for layer in grouped}
    readers: dict[str, str] = {}
    for node, _ in program.nodes:
        owner = layer_of(node.name, grouped)
        for value in node.given:
            source = layer_of(value.name, known) if value.constant else None
            if source is not None and owner is not None:
                readers.setdefault(source, owner)
    result: dict[str, list[str]] = {}
    waiting: list[str] = []
    for layer in known:
        if layer in bare:
            result.setdefault(layer, []).extend(waiting)
            waiting = []
        elif layer in readers:
            result.setdefault(readers[layer], []).append(layer)
        elif not any(other.startswith(f"{layer}/") for other in known):
            waiting.append(layer)
    if waiting and result:
        result[list(result)[-1]].extend(waiting)
    return result
