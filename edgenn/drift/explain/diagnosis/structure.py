"""Ops that compute something else than Keras's: padding, strides, activation."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Final

from edgenn.drift.explain.diagnosis.case import Case
from edgenn.drift.explain.matching import read_by
from edgenn.ir.graph import Graph, Op
from edgenn.ir.operator import Activation
from edgenn.ir.ops import Dequantize, Pad, Quantize, Relu, Relu6, ReluN1To1
from edgenn.ir.ops.scan import Scan

ACTIVATIONS: Final = (Relu, Relu6, ReluN1To1)
ELSEWHERE: Final = ("padding", "input_rounding")
"""Attributes that another cause judges, or that only say how a kernel rounds."""


def padding(case: Case) -> str | None:
    """Borders added elsewhere than Keras does."""
    for ours, theirs in case.ops():
        extra = pads_before(case, theirs)
        usual = [op for op in pads_of(case.reference, ours) if isinstance(op.operator, Pad)]
        mode = getattr(ours.operator, "padding", None), getattr(theirs.operator, "padding", None)
        if len(extra) > len(usual) or mode[0] != mode[1]:
            here = f"{mode[1]}" + "".join(f" after a pad of {amounts(op)}" for op in extra)
            return f"its padding is {here}; Keras has {mode[0]}"
    return None


def amounts(op: Op) -> str:
    assert isinstance(op.operator, Pad)
    height_and_width = op.operator.paddings[1:-1] or op.operator.paddings
    return " × ".join(f"{before}+{after}" for before, after in height_and_width)


def pads_before(case: Case, op: Op) -> list[Op]:
    """Pads between an op of the artifact and the layer before, but for those that pin a grid."""
    return [
        pad
        for pad in pads_of(case.artifact, op)
        if not any("end" in part for part in pad.outputs[0].split("/")[-1:])
        and (pad.outputs[0] not in case.found.meaning)
    ]


def pads_of(graph: Graph, op: Op) -> list[Op]:
    found = []
    producer = graph.producers.get(op.inputs[0]) if op.inputs else None
    while producer is not None and isinstance(producer.operator, Pad | Quantize | Dequantize):
        if isinstance(producer.operator, Pad):
            found.append(producer)
        producer = graph.producers.get(producer.inputs[0])
    return found


def attributes(case: Case) -> str | None:
    """Any other attribute that differs."""
    for ours, theirs in case.ops():
        if isinstance(ours.operator, Scan):
            continue
        for name, keras, here in differences(ours, theirs):
            if name == "activation":
                return f"its activation is {here}; Keras has {keras}"
            if name not in ELSEWHERE:
                return f"its {name.replace('_', ' ')} is {here}; Keras has {keras}"
    return None


def differences(ours: Op, theirs: Op) -> Iterator[tuple[str, object, object]]:
    for field in fields(ours.operator):
        keras, here = getattr(ours.operator, field.name), getattr(theirs.operator, field.name)
        if keras != here:
            yield field.name, keras, here


def activation(case: Case) -> str | None:
    """A clamp that Keras does not have, or lacks, as an op of its own."""
    for entry, _, _ in case.layer.tensors:
        extra = clamps(case.artifact, entry.actual, case)
        usual = clamps(case.reference, entry.name, case)
        if extra != usual:
            here, keras = (", ".join(names) or str(Activation.NONE) for names in (extra, usual))
            return f"its activation is {here}; Keras has {keras}"
    return None


def clamps(graph: Graph, name: str, case: Case) -> list[str]:
    """The kinds of clamps between a tensor and the shared tensors that it is made of."""
    shared = case.found.meaning if graph is case.artifact else case.found.actual
    stop = set(read_by(graph, name, case.found.meaning).values()) if graph is case.artifact else ()
    kinds: list[str] = []
    waiting, seen = [name], set()
    while waiting:
        current = waiting.pop()
        producer = graph.producers.get(current)
        if producer is None or current in seen or (current != name and current in shared):
            continue
        if current in stop:
            continue
        seen.add(current)
        if isinstance(producer.operator, ACTIVATIONS):
            kinds.append(producer.kind)
        elif getattr(producer.operator, "activation", Activation.NONE) in list(Activation):
            fused = getattr(producer.operator, "activation", Activation.NONE)
            if fused is not Activation.NONE:
                kinds.append(str(fused))
        waiting.extend(n for n in producer.inputs if not graph.tensors[n].is_constant)
    return sorted(kinds)
