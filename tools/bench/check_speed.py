"""How fast `edgenn check` is beside the loop that one writes by hand, and how much memory it takes.

The shipped digits CNN in int8, on LiteRT's reference kernels, LiteRT and ONNX Runtime. Samples are
scikit-learn's digits with seeded noise; what Keras says of them is stored, so that neither side
loads Keras. The plain loop does for each sample what one would write from the engines' manuals:
quantise, set, invoke, get, dequantise, compare. Both are timed as whole commands, in turn.

    python tools/bench/check_speed.py [--repeats 5] [--counts 1000 10000 100000] [--scheme int8]
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import common
import numpy as np

BAR = 3.0
SAMPLES = 10_000
GROWTH = 1.25
"""Peak memory with most samples over that with fewest: flat, but for one chunk that is full."""
SEED = 5
MODEL = common.ROOT / "models" / "pretrained" / "digits_cnn.keras"
RECIPE = common.ROOT / "models" / "digits_cnn.py"
EDGENN = str(Path(sys.executable).parent / "edgenn")
TARGETS = ("cpu-reference", "cpu-xnnpack", "cpu-onnxruntime")
POLL_S = 0.01


def make_samples(path: Path, count: int) -> None:
    """Digits over and over, each with noise of its own."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    generator = np.random.default_rng(SEED)
    rows = np.arange(count) % len(digits.target)
    noise = generator.normal(0, 0.5, (count, 8, 8)).astype(np.float32)
    images = np.clip(digits.images[rows].astype(np.float32) + noise, 0, 16)
    np.savez(path, x=images[..., np.newaxis], y=digits.target[rows])


def plain_loop(bundle: Path, data: Path, scheme: str) -> dict[str, dict[str, float]]:
    """One sample after the other on each engine, as one would write it."""
    import onnxruntime
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    with np.load(data) as arrays, np.load(bundle / "reference.npz") as kept:
        x, y, (reference,) = arrays["x"], arrays["y"], kept.values()
    tflite, onnx = (str(bundle / f"digits_cnn.{scheme}.{kind}") for kind in ("tflite", "onnx"))
    results = {}
    for name, resolver in (("reference", OpResolverType.BUILTIN_REF), ("xnnpack", None)):
        options = {} if resolver is None else {"experimental_op_resolver_type": resolver}
        interpreter = Interpreter(tflite, **options)
        interpreter.allocate_tensors()
        results[name] = compare(litert_model(interpreter), x, reference, y)
    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    (port,) = session.get_inputs()
    results["onnxruntime"] = compare(
        lambda sample: session.run(None, {port.name: sample})[0], x, reference, y
    )
    return results


def litert_model(interpreter):
    """A sample in real numbers → the output in real numbers."""
    (given,), (made,) = interpreter.get_input_details(), interpreter.get_output_details()
    scale, zero_point = given["quantization"]
    out_scale, out_zero_point = made["quantization"]
    if not scale:

        def run_float(sample):
            interpreter.set_tensor(given["index"], sample)
            interpreter.invoke()
            return interpreter.get_tensor(made["index"])

        return run_float

    def run(sample):
        integers = np.clip(np.round(sample / scale) + zero_point, -128, 127).astype(np.int8)
        interpreter.set_tensor(given["index"], integers)
        interpreter.invoke()
        output = interpreter.get_tensor(made["index"])
        return (output.astype(np.float32) - out_zero_point) * out_scale

    return run


def compare(model, x, reference, y) -> dict[str, float]:
    largest, squares, same, right = 0.0, 0.0, 0, 0
    for index in range(len(x)):
        output = model(x[index : index + 1])[0]
        difference = output - reference[index]
        largest = max(largest, float(np.abs(difference).max()))
        squares += float((difference**2).sum())
        best = output.argmax()
        same += int(best == reference[index].argmax())
        right += int(best == y[index])
    count = len(x)
    return {
        "max_abs": largest,
        "rmse": (squares / reference.size) ** 0.5,
        "top1_agreement": same / count,
        "accuracy": right / count,
    }


def timed(command: list[str]) -> tuple[float, int]:
    """Seconds that a command takes, and the peak of its and its children's memory in bytes."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peaks: dict[int, int] = {}
    watch = threading.Thread(target=follow, args=(process, peaks))
    watch.start()
    code = process.wait()
    took_s = time.perf_counter() - began
    watch.join()
    assert code == 0, f"{command} ended with {code}"
    return took_s, sum(peaks.values())


def follow(process: subprocess.Popen[bytes], peaks: dict[int, int]) -> None:
    """Keeps the largest resident set of a process and of each of its descendants."""
    while process.poll() is None:
        for pid in family(process.pid):
            peaks[pid] = max(peaks.get(pid, 0), peak_bytes(pid))
        time.sleep(POLL_S)


def family(pid: int) -> list[int]:
    found = [pid]
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            text = Path(f"/proc/{pid}/task/{task}/children").read_text()
            found += [member for child in text.split() for member in family(int(child))]
    return found


def peak_bytes(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def converted(folder: Path, count: int, scheme: str) -> tuple[Path, Path]:
    """A bundle with what Keras says of so many samples, and the samples."""
    data, bundle = folder / f"{count}.npz", folder / f"bundle-{count}"
    make_samples(data, count)
    command = [EDGENN, "convert", str(MODEL), "-o", str(bundle)]
    command += ["--calibration", str(RECIPE), "--quantize", scheme, "--reference", str(data)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return bundle, data


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--counts", type=int, nargs="+", default=[1_000, SAMPLES, 100_000])
    parser.add_argument("--scheme", default="int8")
    parser.add_argument("--plain", nargs=2, metavar=("BUNDLE", "DATA"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.plain:
        bundle, data = map(Path, arguments.plain)
        print(plain_loop(bundle, data, arguments.scheme))
        return
    seconds: dict[str, list[float]] = {"plain": [], "check": []}
    memory: dict[int, int] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # modules are compiled once, as where edgenn is installed
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
        os.environ["EDGENN_HISTORY"] = str(folder / "history.sqlite")
        for count in sorted({*arguments.counts, SAMPLES}):
            bundle, data = converted(folder, count, arguments.scheme)
            check = [EDGENN, "check", str(bundle), "--data", str(data)]
            check += [word for target in TARGETS for word in ("--target", target)]
            plain = [sys.executable, __file__, "--scheme", arguments.scheme]
            plain += ["--plain", str(bundle), str(data)]
            memory[count] = timed(check)[1]
            for _ in range(arguments.repeats if count == SAMPLES else 0):
                for kind, command in (("plain", plain), ("check", check)):
                    seconds[kind].append(timed(command)[0])
    medians = {kind: statistics.median(taken) for kind, taken in seconds.items() if taken}
    ratio = medians["plain"] / medians["check"]
    growth = max(memory.values()) / memory[min(memory)]
    failures = []
    if ratio < BAR:
        failures.append(f"check is {ratio:.2f} times as fast as the plain loop, {BAR:g} is wanted")
    if growth > GROWTH:
        failures.append(f"memory grows by {growth:.2f} from {min(memory)} samples on")
    common.finish(
        {
            "samples": SAMPLES,
            "scheme": arguments.scheme,
            "median_s": medians,
            "all_s": seconds,
            "ratio": ratio,
            "peak_memory_bytes": memory,
            "cores": os.cpu_count(),
            "load": os.getloadavg(),
        },
        failures,
    )


if __name__ == "__main__":
    main()
