import io
import json

from rich.console import Console

from edgenn.placement import LayerReport, PlacedOp, PreflightReport, TargetReport
from edgenn.placement.report import Reason
from edgenn.report import to_json
from edgenn.report.preflight import print_preflight, share_text


def layer(name, ops, where=(1, 0, 0), absorbed=(), form="", reasons=(), pitfalls=(), macs=0):
    return LayerReport(
        name, absorbed, form, ops, ("int8", "int16"), *where, reasons, pitfalls, macs, 12_345
    )


def report(layers, verdict="partly", **more):
    known = {
        "target": "ethos",
        "title": "An NPU",
        "kind": "npu",
        "verdict": verdict,
        "format": "tflite",
        "scheme": "int8",
        "form": "unrolled",
        "gates": "int16",
        "batch": 1,
        "size_bytes": 98_765,
        "macs": 1_000_000,
        "accelerator_macs": 999_999,
        "peak_activation_bytes": 4096,
        "layers": tuple(layers),
    }
    return TargetReport(**{**known, **more})


def printed(*reports):
    stream = io.StringIO()
    print_preflight(reports, Console(file=stream, width=80))
    text = stream.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    return " ".join(text.split())


GATHER = Reason("GATHER", 2, "Unsupported opType")


def test_a_block():
    text = printed(
        report(
            [
                layer("embedding", {"GATHER": 2, "ADD": 1}, (1, 2, 0), reasons=(GATHER,)),
                layer("a/very/long/path/of/a/layer", {"A": 1, "B": 2, "C": 3, "D": 4}, (10, 0, 0)),
                layer("gru", {"MUL": 9}, (9, 0, 0), ("mask",), "unrolled", macs=64_512),
                layer("other", {"GATHER": 2}, (0, 2, 0), reasons=(GATHER,)),
            ],
            notes=("a note",),
        )
    )
    assert "ethos (An NPU): a part of it falls back to the CPU" in text
    assert "int8 .tflite, 98.8 kB, recurrent layers unrolled with int16 gates, batch 1" in text
    assert "1,000,000 MACs (99.9 % on the NPU), activations take at least 4.1 kB" in text
    assert "2 GATHER, ADD int8, int16 1 NPU, 2 CPU 12.3 kB" in text
    assert "10 ops" in text and "unrolled: 9 MUL" in text and "+ mask" in text and "64,512" in text
    assert text.endswith("4 × GATHER: Unsupported opType a note")


def test_refusals_and_pitfalls():
    softmax = Reason("SOFTMAX", 1, "rank")
    pitfall = Reason("RSQRT", 1, "wrong by thousands of steps")
    rows = [layer("y", {"SOFTMAX": 1}, (0, 0, 1), reasons=(softmax,), pitfalls=(pitfall,))]
    reasons = ("activations take 2 kB", "SOFTMAX 'y': rank")
    text = printed(report(rows, "refused", reasons=reasons), report((), "refused", size_bytes=None))
    assert "it does not run there" in text and "activations take 2 kB" in text
    assert "1 × SOFTMAX: rank 1 × RSQRT runs, but wrong by thousands of steps" in text
    assert "SOFTMAX 'y'" not in text


def test_nothing_is_rounded_up_to_all():
    assert (share_text(1.0), share_text(0.99999), share_text(0.5)) == ("100 %", "99.9 %", "50.0 %")


def test_json():
    op = PlacedOp("ADD", "y", 0, "cpu", "why", 0, 4, "int8")
    both = PreflightReport("net.keras", (report((), ops=(op,)), report((), "refused")))
    data = json.loads(to_json(both))
    assert data["path"] == "net.keras"
    assert data["targets"][0]["ops"][0]["reason"] == "why"
    assert both.exit_code == 3
