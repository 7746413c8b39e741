"""Reports of checks in which every part of the page has something to show."""

from functools import cache

import numpy as np

from edgenn.audit.report import Audit, Finding, InputRange, TensorRange
from edgenn.drift.explain.report import (
    Explanation,
    Histogram,
    LayerError,
    LengthBucket,
    Remedy,
)
from edgenn.drift.report import FLOAT_GRAPH, CheckReport, Rung, Verdict, WorstSample
from edgenn.drift.streaming import StreamCheck
from edgenn.report.html import render_html

KERAS = 0.987
LIMIT = 0.977
SCHEMES = ("float32", "float16", "dynamic", "int8", "int16x8")
TARGETS = ("cpu-reference", "cpu-xnnpack", "cpu-onnxruntime")


def full_report(
    *,
    name="net",
    layers=4,
    schemes=SCHEMES,
    broken="int8",
    samples=3,
    shape=(8, 8, 1),
    layer_name="layer_{}",
    seed=0,
) -> CheckReport:
    """A ladder of a rung for each scheme and target, broken at the scheme ``broken``.

    The culprit is the second layer; the last one is recurrent.
    """
    rng = np.random.default_rng(seed)
    rungs = [Rung("", "", FLOAT_GRAPH, metrics={"y": metrics(KERAS, 138.0)}, samples=100)]
    for scheme in schemes:
        for target in TARGETS:
            suffix = "onnx" if "onnx" in target else "tflite"
            bad = scheme == broken
            value = 0.9 if bad else KERAS - 0.001
            rungs.append(
                Rung(
                    f"{name}.{scheme}.{suffix}",
                    scheme,
                    target,
                    "litert",
                    "2.1",
                    {"y": metrics(value, 12.0 if bad else 60.0)},
                    latency_ms=float(rng.uniform(0.01, 30)),
                    samples=100,
                    intervals={"y": {"accuracy": (value - KERAS - 0.01, value - KERAS + 0.01)}},
                    before=rungs[-1].label,
                    step={"y": metrics(value, 50.0)},
                    verdicts=(accuracy_line(value), excess_line(41.0 if bad else 1.1)),
                    worst=tuple(worst(rng, shape) for _ in range(samples)),
                    size_bytes=40_000 * (1 + schemes.index(scheme)) + len(suffix),
                    differences={"y": histogram(rng, -4.5, 4.5, 9)},
                    warnings=("the engine is slow today",) if bad else (),
                )
            )
    rungs.append(Rung("", "", "edgetpu", notes=("takes none of the files",)))
    names = [layer_name.format(place) for place in range(layers)]
    files = dict.fromkeys((rung.artifact, rung.scheme == broken) for rung in rungs if rung.artifact)
    return CheckReport(
        name,
        "data.npz",
        "d" * 64,
        100,
        "computed",
        {"y": metrics(KERAS, float("inf"))},
        tuple(rungs),
        ("labels were found",),
        explanations=tuple(explained(rng, file, names, bad) for file, bad in files),
        streaming=(
            StreamCheck(f"{name}.int8.step.tflite", "cpu-xnnpack", (1, 3, 8), 0.0, True),
            StreamCheck(f"{name}.int8.step.onnx", "cpu-onnxruntime", (1,), 0.4, True, ""),
        ),
        audit=audited(name, names),
        manifest={"name": name, "artifacts": [{"file": file} for file, _ in files]},
    )


@cache
def full_page() -> str:
    return render_html(full_report())


def metrics(accuracy, sqnr_db):
    return {
        "accuracy": accuracy,
        "sqnr_db": sqnr_db,
        "rmse": 10 ** (-sqnr_db / 20),
        "cosine": 0.999,
        "top1_agreement": accuracy,
    }


def accuracy_line(value):
    rule = f"accuracy ≥ {100 * LIMIT} %, 99 % of Keras's {100 * KERAS} %"
    return Verdict("accuracy", "y", LIMIT, value, value >= LIMIT, rule, "default")


def excess_line(value):
    return Verdict("excess", "layer_1", 3.0, value, value <= 3, "excess ≤ 3", "default")


def worst(rng, shape):
    index = int(rng.integers(1000))
    inputs = {"x": rng.normal(size=shape).tolist()}
    reference, actual = rng.random(10), rng.random(10)
    error = float(np.linalg.norm(actual - reference) / np.linalg.norm(reference))
    return WorstSample(index, "y", error, inputs, tuple(reference), tuple(actual), index % 10)


def histogram(rng, low, high, bins):
    counts, edges = np.histogram(rng.normal(0, (high - low) / 6, 4000), bins, (low, high))
    return Histogram(tuple(edges.tolist()), tuple(counts.tolist()), 120, 0)


def explained(rng, file, names, bad):
    ranking = (names[1], *(layer for layer in names if layer != names[1]))
    verdict = "its kernel is transposed (excess 41; 3 is the limit)"
    remedy = Remedy(names[1], f"--keep-float {names[1]}", "accuracy", 0.9, 0.985, KERAS, 1200)
    return Explanation(
        file,
        32,
        tuple(
            layer_error(rng, layer, bad and place == 1, place == len(names) - 1)
            for place, layer in enumerate(names)
        ),
        ranking,
        f"{names[1]}: {verdict}" if bad else "no layer stands out",
        (remedy,) if bad else (),
        (LengthBucket(1, 8, 40, 0.01), LengthBucket(9, 16, 60, 0.02)),
        ("read back as a graph",),
    )


def layer_error(rng, layer, culprit, recurrent):
    own = 0.4 if culprit else float(rng.uniform(0.001, 0.01))
    return LayerError(
        layer,
        "gru" if recurrent else "conv_2d",
        own,
        0.001,
        own,
        41.0 if culprit else 1.0,
        0.97 if culprit else 0.01,
        {"update": own, "reset": own / 2} if recurrent else {},
        {"h": own} if recurrent else {},
        tuple(own * step for step in range(1, 9)) if recurrent else (),
        ("its kernel is transposed",) if culprit else (),
        histogram(rng, -128, 128, 64),
    )


def audited(name, names):
    return Audit(
        name,
        "calibration.npz",
        200,
        "data.npz",
        100,
        (
            Finding("range", "warning", "values lie outside", "calibrate with more samples"),
            Finding("duplicates", "note", "2 samples are there twice", ""),
        ),
        (InputRange("x", 0.0, 1.0, 0.0, 1.0),),
        tuple(TensorRange(layer, -1.0, 2.0, 0.1, -1.5, 2.0, 0.01, 0.1, 0.2, 3) for layer in names),
    )
