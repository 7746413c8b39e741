"""The compiler's way, step by step: Keras model → Graph → quantised Graph → bytes.

Each step takes what the one before gave; nothing travels back. ``edgenn.api`` adds files,
bundles and the judge around it.
"""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from edgenn.batches import Samples, batches
from edgenn.errors import EdgennWarning, UnsupportedError
from edgenn.ir.flat_loops import close_loops, open_loops
from edgenn.ir.graph import Graph
from edgenn.ir.precision import KEPT, ONE_PRECISION, WIDE, ops_in, with_precision
from edgenn.lowering.ethos_u import for_ethos_u
from edgenn.lowering.gpu import for_gpu
from edgenn.lowering.integer import legalize
from edgenn.lowering.micro import for_micro
from edgenn.lowering.recurrent.exact_products import with_exact_products
from edgenn.lowering.recurrent.forms import Form, lowered
from edgenn.lowering.recurrent.fused import to_fused
from edgenn.lowering.recurrent.loop import to_loops
from edgenn.passes import simplify
from edgenn.plan import HLS4ML, Build, Start, recurrent_ops
from edgenn.progress import Progress, silent
from edgenn.quantization.bias_correction import correct_bias, weighted_inputs
from edgenn.quantization.border import with_open_float_border
from edgenn.quantization.calibration import choose_ranges
from edgenn.quantization.calibrators import CALIBRATORS, DEFAULT_CALIBRATOR
from edgenn.quantization.equalization import Channels, balanced_tensors, equalize
from edgenn.quantization.fixed16 import with_fixed_formats
from edgenn.quantization.float_weights import float_inputs, rounded_weights
from edgenn.quantization.formats import format_of_tensors
from edgenn.quantization.fused_lstm import seen_in_loops
from edgenn.quantization.integer import float_parts, quantize_integer
from edgenn.quantization.saturation import saturating_inputs
from edgenn.quantization.schemes import INTEGER_FORMATS, Gates, Scheme, missing_calibration
from edgenn.quantization.statistics import Statistics
from edgenn.quantization.weights import WEIGHT_SCHEMES
from edgenn.runners.calibration import collect_statistics

EQUALIZATION_SAMPLES: Final = 32


@dataclass(frozen=True)
class QuantizationOptions:
    """How full-integer graphs are made.

    Attributes:
        calibrator: Name of the method that chooses ranges.
        bias_correction: Take the mean error of rounded weights out of the biases.
        equalization: Balance the channels between layers first.
        allow_float: Leave ops without an integer kernel in float.
        gates: The precision inside of recurrent layers.
    """

    calibrator: str = DEFAULT_CALIBRATOR
    bias_correction: bool = True
    equalization: bool = True
    allow_float: bool = False
    gates: Gates = Gates.FLOAT32


def graph_of(model: Any, *, name: str | None = None, batch: int | None = None) -> Graph:
    """A Keras model as a simplified float graph, with an open batch wherever that is possible.

    Args:
        batch: What the batch is fixed to where the model's layers need to know it.

    Raises:
        UnsupportedError: A layer that cannot be converted.
    """
    from edgenn.frontend import capture

    try:
        captured = capture(model, name=name)
    except UnsupportedError:
        if batch is None:
            raise
        captured = capture(model, name=name, batch=batch)
    return simplify(captured)


@dataclass(frozen=True)
class Calibrated:
    """A float graph and what its tensors were seen to hold.

    Attributes:
        integers: The graphs made of it; files of several formats hold the same one.
    """

    graph: Graph
    statistics: Mapping[str, Statistics]
    integers: dict[tuple[Scheme, QuantizationOptions], Graph] = field(default_factory=dict)


LOOP_DTYPES: Mapping[Gates, str] = {Gates.INT16: "int16", Gates.INT8: "int8"}
"""What the ops of loops compute in, where that is integers."""

Calibrations = dict[Start, Calibrated]
"""What every full-integer build starts from."""


def calibrations(
    graph: Graph,
    samples: Samples,
    planned: Sequence[Build],
    options: QuantizationOptions,
    progress: Progress = silent,
) -> Calibrations:
    """What the builds start from; the samples run once for each precision of gates and layers.

    Raises:
        DataError: Samples that do not fit the model.
    """
    result: Calibrations = {}
    integers = [build for build in planned if build.scheme.is_full_integer]
    for gates, layers in dict.fromkeys((build.gates, build.layers) for build in integers):
        starts = [build.start for build in integers]
        schemes = [scheme for scheme, *rest in starts if rest == [gates, layers]]
        marked = with_precision(graph, layers)
        seen = calibrated(marked, samples, schemes, replace(options, gates=gates), progress)
        result.update({(scheme, gates, layers): entry for scheme, entry in seen.items()})
    if any(build.scheme is Scheme.FIXED16 for build in planned):
        flat = open_loops(to_loops(graph))
        statistics = collect_statistics(flat, batches(graph, samples, progress), to_tflite_bytes)
        result[Scheme.FIXED16, Gates.FLOAT32, ONE_PRECISION] = Calibrated(flat, statistics)
    return result


def built(
    graph: Graph,
    build: Build,
    seen: Calibrations,
    options: QuantizationOptions,
    io: str | None = None,
) -> Graph:
    """The graph of one file: quantised, its recurrent layers in their form, in its dialect.

    Args:
        io: dtype of the inputs and outputs that the file will have, where one was asked for.

    Raises:
        UnsupportedError: Ops without an integer kernel, or a form that a layer cannot have.
    """
    if build.scheme is Scheme.FIXED16:  # hls4ml's layers are whole, its ranges a matter of course
        return in_fixed_point(graph, seen.get(build.start))
    options = replace(options, gates=build.gates)
    graph = with_precision(graph, build.layers)
    if build.form is Form.FUSED:  # its weights are quantised in another way
        graph = to_fused(graph)
    result = quantized(graph, build.base, seen.get(build.start), options)
    if (build.form or build.layers.kept) and (build.format == "onnx" or io == "float32"):
        result = with_open_float_border(result)
    if build.form is not None:
        result = formed(result, build.format, build.form)
    return DIALECTS.get(build.dialect, unchanged)(result)


def in_fixed_point(graph: Graph, seen: Calibrated | None) -> Graph:
    """The float graph that says how large the numbers in it are, as far as samples have shown."""
    if seen is None:
        text = "fixed16 without calibration data: numbers beyond ±32 saturate (--calibration FILE)"
        warnings.warn(EdgennWarning(text), stacklevel=2)
        return graph
    return with_fixed_formats(graph, seen.graph, seen.statistics)


def formed(graph: Graph, format_: str, form: Form) -> Graph:
    """The quantised graph with its recurrent layers in a form."""
    if format_ == "tflite":
        graph = with_exact_products(to_loops(graph))
    return lowered(graph, form)


DIALECTS: Mapping[str, Callable[[Graph], Graph]] = {
    "ethos-u": for_ethos_u,
    "gpu": for_gpu,
    "micro": for_micro,
}
"""What is done last for runtimes that compute some of LiteRT's ops in another way."""


def unchanged(graph: Graph) -> Graph:
    return graph


def calibrated(
    graph: Graph,
    samples: Samples,
    schemes: Iterable[Scheme],
    options: QuantizationOptions | None = None,
    progress: Progress = silent,
) -> dict[Scheme, Calibrated]:
    """What each full-integer scheme among ``schemes`` starts from.

    The samples run once through each float graph: schemes whose kernels need no other ops
    share one.

    Raises:
        DataError: Samples that do not fit the model.
    """
    options = options or QuantizationOptions()
    formats = {s: INTEGER_FORMATS[s] for s in schemes if s.is_full_integer}
    if options.equalization and formats:
        graph = equalized(graph, samples, progress)
    result: dict[Scheme, Calibrated] = {}
    flat = laid_flat(graph, options.gates)
    for scheme, format_ in formats.items():
        legal = legalize(flat, format_.activation, loop_dtype=LOOP_DTYPES.get(options.gates))
        known = next((entry for entry in result.values() if entry.graph is legal), None)
        result[scheme] = known or observed(legal, samples, options, progress)
        if options.gates is Gates.FUSED:  # the loops are there to be seen; they show the cells
            fused = legalize(to_fused(graph), format_.activation)
            seen = seen_in_loops(fused, result[scheme].statistics)
            result[scheme] = Calibrated(fused, seen)
    return result


def laid_flat(graph: Graph, gates: Gates) -> Graph:
    """The graph with those loops laid flat that compute in integers, or are to be seen inside."""
    loops = recurrent_ops(graph)
    whole = ops_in(graph, KEPT)
    if gates is Gates.FLOAT32:
        whole = loops - ops_in(graph, WIDE)
    elif gates is Gates.FUSED:
        whole = frozenset()
    return graph if loops <= whole else open_loops(to_loops(graph, whole), whole)


def observed(
    graph: Graph, samples: Samples, options: QuantizationOptions, progress: Progress
) -> Calibrated:
    """The float graph with what its tensors hold when the samples run through it."""
    multiplied = float_inputs(graph, float_parts(graph, options.gates))
    statistics = collect_statistics(
        graph,
        batches(graph, samples, progress),
        to_tflite_bytes,
        histogram=CALIBRATORS[options.calibrator].needs_histogram,
        means=weighted_inputs(graph) if options.bias_correction else (),
        rows=multiplied.union(saturating_inputs(graph)),
        products=multiplied,
    )
    return Calibrated(graph, statistics)


def quantized(
    graph: Graph,
    scheme: Scheme,
    calibration: Calibrated | None = None,
    options: QuantizationOptions | None = None,
) -> Graph:
    """The float graph in another scheme.

    Raises:
        UsageError: A full-integer scheme without calibration.
        UnsupportedError: Ops without an integer kernel.
    """
    options = options or QuantizationOptions()
    if scheme is Scheme.FLOAT32:
        return graph
    if not scheme.is_full_integer:
        return WEIGHT_SCHEMES[scheme](graph)
    if calibration is None:
        raise missing_calibration(scheme)
    key = (scheme, options)
    if key not in calibration.integers:
        calibration.integers[key] = in_integers(calibration, scheme, options)
    return calibration.integers[key]


def in_integers(calibration: Calibrated, scheme: Scheme, options: QuantizationOptions) -> Graph:
    """The calibrated graph in a full-integer scheme.

    Raises:
        UnsupportedError: Ops without an integer kernel.
    """
    calibrator = CALIBRATORS[options.calibrator]
    graph = calibration.graph
    formats = format_of_tensors(graph, scheme, options.gates)
    ranges = choose_ranges(graph, calibration.statistics, calibrator, formats)
    floats = float_parts(graph, options.gates)
    multiplied = float_inputs(graph, floats)
    seen = {name: s for name, s in calibration.statistics.items() if name in multiplied}
    weights = rounded_weights(graph, floats, seen)
    if options.bias_correction:
        means = {name: calibration.statistics[name].means for name in weighted_inputs(graph)}
        graph = correct_bias(graph, means, floats, weights.tensors)
    integer = quantize_integer(
        graph,
        scheme,
        ranges,
        gates=options.gates,
        allow_float=options.allow_float,
        weights=weights,
    )
    return close_loops(integer)


def equalized(graph: Graph, samples: Samples, progress: Progress) -> Graph:
    """The same float model with balanced channels; a part of the samples is enough to see them."""
    names = balanced_tensors(graph)
    if not names:
        return graph
    part = {
        public: array[:: max(1, len(array) // EQUALIZATION_SAMPLES)]
        for public, array in samples.items()
    }
    seen = batches(graph, part, progress)
    statistics = collect_statistics(graph, seen, to_tflite_bytes, magnitudes=names)
    channels = {
        name: Channels(statistics[name].magnitudes, statistics[name].mean_squares) for name in names
    }
    return equalize(graph, channels)


def to_tflite_bytes(graph: Graph) -> bytes:
    """The exporter that calibration runs its models through."""
    return written(graph, "tflite")


def written(graph: Graph, format_: str) -> bytes:
    """The graph as the bytes of a file.

    Args:
        format_: ``tflite``, ``onnx`` or ``hls4ml``; the latter two always take and give float.
    """
    if format_ == HLS4ML:
        from edgenn.export.hls4ml.exporter import to_hls4ml

        return to_hls4ml(graph)
    if format_ == "onnx":
        from edgenn.export.onnx.exporter import to_onnx

        return to_onnx(lowered(graph, Form.NATIVE))
    from edgenn.export.tflite.exporter import to_tflite

    return to_tflite(lowered(close_loops(graph), Form.LOOP))
