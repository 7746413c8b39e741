"""How far the files of a model may be from Keras, and how far they are."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from support.recurrent_matrix.conversion import Conversion
from support.recurrent_matrix.engines import ENGINES, Engines
from support.recurrent_matrix.factors import Case
from support.recurrent_matrix.rungs import Rung, limits

from edgenn.errors import EdgennError, UnsupportedError
from edgenn.ir.tensor import Array

FLOAT_BOUND = 1e-5
"""Largest error of float32, as a share of the largest value (of 1 where that is smaller)."""

INT8_BOUND, INT8_GATES_BOUND = 0.015, 0.03
"""Root mean square error of an output as a share of its range; with gates of 8 bits.

Gates of float32 and int16, the fused op and ONNX have one bound: they round activations to 8 bits
between layers only.
"""


@dataclass(frozen=True)
class Truth:
    """What goes into a model and what Keras makes of it.

    Attributes:
        inputs: By public name.
        outputs: In the model's order.
    """

    inputs: Mapping[str, Array]
    outputs: Sequence[Array]


def problems(
    case: Case, files: Conversion, truths: Sequence[Truth], engines: Engines
) -> Iterator[str]:
    """What is wrong with the files of a model, a line each.

    Args:
        truths: The first is what int8 was calibrated on; float32 must hold to all of them.
    """
    for rung, error in files.errors.items():
        known = limits(case, rung)
        if not known:
            yield f"{rung}: {type(error).__name__}: {error}"
        elif not is_honest(error, [limit.says for limit in known]):
            yield f"{rung}: refused in other words: {error}"
    for rung, path in files.paths.items():
        yield from (f"{rung}: not refused: {limit.reason}" for limit in limits(case, rung))
        held = truths if rung.scheme == "float32" else truths[:1]
        for engine, truth in product(ENGINES[path.suffix], held):
            outputs = dict(zip(files.outputs, truth.outputs, strict=True))
            yield from (
                f"{rung} in {engine}: {problem}"
                for problem in problems_of_run(rung, path, engine, truth.inputs, outputs, engines)
            )


def is_honest(error: Exception, patterns: Sequence[str]) -> bool:
    """Whether an error names a known limit and another form or precision."""
    return (
        isinstance(error, UnsupportedError)
        and any(re.search(pattern, error.message) for pattern in patterns)
        and "--rnn" in error.hint
    )


def problems_of_run(
    rung: Rung,
    path: Path,
    engine: str,
    inputs: Mapping[str, Array],
    outputs: Mapping[str, Array],
    engines: Engines,
) -> Iterator[str]:
    """What is wrong with what a file gives for some inputs."""
    try:
        results = engines.run(path, engine, inputs)
    except EdgennError as error:
        yield f"{type(error).__name__}: {error}"
        return
    if results.keys() != outputs.keys():
        yield f"gives {sorted(results)}, not {sorted(outputs)}"
        return
    for name, expected in outputs.items():
        if results[name].shape != expected.shape:
            yield f"{name} has shape {results[name].shape}, not {expected.shape}"
        elif not (error := drift(rung, results[name], expected)) <= bound(rung):
            yield f"{name} is off by {error:.2g}, allowed is {bound(rung):g}"


def bound(rung: Rung) -> float:
    """The largest ``drift`` allowed."""
    if rung.scheme == "float32":
        return FLOAT_BOUND
    return INT8_GATES_BOUND if rung.precision == "int8" else INT8_BOUND


def drift(rung: Rung, actual: Array, expected: Array) -> float:
    """The largest error of float32; the root mean square error of int8."""
    errors = actual.astype(np.float64) - expected
    if rung.scheme == "float32":
        return float(np.abs(errors).max() / max(1.0, np.abs(expected).max()))
    return float(np.sqrt(np.mean(errors**2)) / np.ptp(expected))
