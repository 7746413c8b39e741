"""Ranges of tensors: of two halves against each other, and of evaluation against calibration."""

from edgenn.audit.report import TensorRange
from edgenn.audit.tensors import Tensors
from edgenn.quantization.parameters import SMALLEST_RANGE


def disagreements(tensors: Tensors) -> dict[str, float]:
    """Tensor → the larger difference of the halves' extremes, as a share of the whole range."""
    if len(tensors.halves) < 2:
        return {}
    first, second = tensors.halves
    result = {}
    for name in tensors.ranges:
        a, b = first[name].range, second[name].range
        both = a.union(b)
        width = both.high - both.low
        apart = max(abs(a.low - b.low), abs(a.high - b.high))
        result[name] = apart / width if width > SMALLEST_RANGE else 0.0
    return result


def tensor_ranges(tensors: Tensors) -> tuple[TensorRange, ...]:
    """All tensors, those first that are exceeded in the most evaluation samples."""
    apart = disagreements(tensors)
    entries = [tensor_range(tensors, name, apart.get(name)) for name in tensors.ranges]
    return tuple(sorted(entries, key=lambda e: (-e.samples_outside, -e.excess)))


def tensor_range(tensors: Tensors, name: str, apart: float | None) -> TensorRange:
    range_ = tensors.ranges[name]
    seen = tensors.evaluation.get(name)
    if seen is None or seen.outside is None:
        return TensorRange(name, range_.low, range_.high, apart)
    outside = seen.outside
    beyond = max(range_.low - seen.low, seen.high - range_.high) if outside.outside else 0.0
    return TensorRange(
        name,
        range_.low,
        range_.high,
        apart,
        seen.low,
        seen.high,
        values_outside=outside.outside / outside.values,
        samples_outside=outside.samples_outside / outside.samples,
        excess=max(beyond, 0.0) / max(range_.high - range_.low, SMALLEST_RANGE),
        worst_sample=outside.worst_sample,
    )
