"""A report of a check in which everything that can happen has happened."""

from edgenn.drift.explain.report import Explanation, LayerError, Remedy
from edgenn.drift.report import CheckReport, Rung, Verdict
from edgenn.drift.streaming import StreamCheck

INT8, ONNX, STEP = "net.int8.tflite", "net.int8.onnx", "net.int8.step.tflite"


def verdict(metric, value, passed, *, output="y", limit=0.977, source="default"):
    rule = f"{metric} ≥ 97.7 %, 99 % of Keras's 98.7 %"
    return Verdict(metric, output, limit, value, passed, rule, source)


def failing_report(finding="NaN in 3 of 10 samples") -> CheckReport:
    """One rung that is well, one over budget, one with NaN, one that crashed, one not here."""
    layer = LayerError("block/conv_2", "conv_2d", 0.4, 0.0, 0.4, 40.0)
    return CheckReport(
        "net",
        "x.npz",
        "d" * 64,
        10,
        "stored",
        {"y": {"accuracy": 0.987}},
        (
            Rung("", "", "float graph", metrics={"y": {"accuracy": 0.987}}),
            Rung(
                INT8,
                "int8",
                "cpu-reference",
                metrics={"y": {"accuracy": 0.98}},
                verdicts=(verdict("accuracy", 0.98, True),),
            ),
            Rung(
                INT8,
                "int8",
                "cpu-xnnpack",
                metrics={"y": {"accuracy": 0.6}},
                findings=(finding, "differs from cpu-reference by 0.2 of the output's range"),
                verdicts=(
                    verdict("accuracy", 0.6, False, source="budget.toml [target.cpu-xnnpack]"),
                    verdict("accuracy", 0.6, False, source="baseline, default"),
                    verdict("excess", 40.0, False, output="block/conv_2", limit=3),
                ),
            ),
            Rung(
                ONNX,
                "int8",
                "cpu-onnxruntime",
                findings=("engine crashed on this artifact: signal 11",),
                exit_code=5,
            ),
            Rung("", "", "qualcomm-htp", notes=("qnn-htp is not installed",)),
        ),
        budget="budget.toml",
        streaming=(
            StreamCheck(STEP, "cpu-reference", (1, 3), 0.0, True),
            StreamCheck(STEP, "cpu-xnnpack", (1, 3), 0.5, False, "chunks of 3 differ by 0.5"),
        ),
        explanations=(
            Explanation(
                INT8,
                10,
                (layer,),
                ("block/conv_2",),
                "block/conv_2: its weights are transposed (excess 40; 3 is the limit)",
                (Remedy("block/conv_2", "--keep-float block/conv_2", "accuracy", 0.6, 0.985),),
            ),
        ),
    )
