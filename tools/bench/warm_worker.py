"""What running each engine in a process of its own costs, on the shipped CNN in int8.

Per call of ``Runner.run`` on a worker that is warm: the time until the outputs are here, without
the time that the engine itself took, to load the file and to run one sample. And how many processes
``check`` starts on three targets.

    python tools/bench/warm_worker.py [--calls 300]
"""

import argparse
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path
from unittest import mock

import common
import numpy as np

import edgenn
from edgenn.data import load
from edgenn.options import DEFAULT_TARGETS
from edgenn.runners import LiteRTRunner, OnnxRuntimeRunner, Runner
from edgenn.runners import runner as runners
from edgenn.runners.child import Child

BAR_MS = 5.0
RECIPE = common.ROOT / "models" / "digits_cnn.py"
MODEL = common.ROOT / "models" / "pretrained" / "digits_cnn.keras"


def added_ms(engine: Runner, artifact: Path, samples: dict[str, np.ndarray], calls: int) -> float:
    """The median of what a call takes beyond loading and running; the first ones do not count."""
    added = []
    with engine:
        for _ in range(calls + 10):
            start = time.perf_counter()
            result = engine.run(artifact, samples)
            spent_ms = (time.perf_counter() - start) * 1e3
            assert result.facts.load_ms is not None
            added.append(spent_ms - result.facts.load_ms - sum(result.latencies_ms))
    return statistics.median(added[10:])


def started(bundle: Path) -> Counter[str]:
    """Engine → how many processes a check of the whole bundle starts for it."""
    counts: Counter[str] = Counter()

    class Counted(Child):
        def __init__(self, module: str, arguments: list[str], *rest: object, **options: object):
            counts[arguments[0]] += 1
            super().__init__(module, arguments, *rest, **options)  # type: ignore[arg-type]

    with mock.patch.object(runners, "Child", Counted):
        report = edgenn.check(bundle, RECIPE, model=MODEL, targets=DEFAULT_TARGETS, history=False)
    of_files = {rung.target for rung in report.rungs if rung.artifact}
    assert report.exit_code == 0 and of_files == set(DEFAULT_TARGETS)
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=300)
    calls = parser.parse_args().calls
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "cnn"
        bundle = edgenn.convert(
            MODEL,
            out,
            formats=("tflite", "onnx"),
            quantize=("float32", "int8"),
            calibration=RECIPE,
            name="cnn",
        )
        data = load(RECIPE, bundle.manifest.artifacts[0].data_inputs, split="test")
        sample = {name: np.asarray(array[:1], np.float32) for name, array in data.inputs.items()}
        added = {
            engine.name: added_ms(engine, out / f"cnn.int8{engine.suffix}", sample, calls)
            for engine in (LiteRTRunner(), OnnxRuntimeRunner())
        }
        counts = started(out)
    failures = [
        f"a warm worker of {name} adds {value:.2f} ms"
        for name, value in added.items()
        if value > BAR_MS
    ]
    if set(counts.values()) != {1}:
        failures.append("check starts an engine more than once")
    common.finish(
        {"added_ms": added, "calls": calls, "artifacts": 4, "processes_of_check": counts}, failures
    )


if __name__ == "__main__":
    main()
