"""What ``Session.run`` costs over a raw LiteRT interpreter loop, on an int8 model.

Both take float samples one by one, quantise them, run, and dequantise; rounds alternate in one
process and the medians are compared.

    python tools/bench/session.py [--rounds 40]
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import common
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from edgenn import compiler
from edgenn.frontend.loading import load_model
from edgenn.quantization.schemes import Scheme
from edgenn.runtime import Session

BAR = 1.05


def keyword_int8() -> tuple[bytes, np.ndarray]:
    """The KWS model in int8 and its evaluation samples."""
    (entry,) = (entry for entry in common.available() if entry.name == "kws")
    calibration, x = entry.load()
    graph = compiler.graph_of(load_model(common.MODELS / entry.file).model)
    (public,) = graph.inputs
    seen = compiler.calibrated(graph, {public: calibration}, [Scheme.INT8])[Scheme.INT8]
    return compiler.written(compiler.quantized(graph, Scheme.INT8, seen), "tflite"), x


def raw_loop(path: Path) -> Callable[[np.ndarray], None]:
    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()

    def run(samples: np.ndarray) -> None:
        for sample in samples:
            interpreter.set_tensor(source["index"], common.to_integers(sample[None], source))
            interpreter.invoke()
            common.to_real(interpreter.get_tensor(target["index"]), target)

    return run


def session_loop(path: Path) -> Callable[[np.ndarray], None]:
    session = Session(path)

    def run(samples: np.ndarray) -> None:
        for sample in samples:
            session.run(sample[None])

    return run


def seconds(run: Callable[[np.ndarray], None], samples: np.ndarray) -> float:
    start = time.perf_counter()
    run(samples)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    content, samples = keyword_int8()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kws.int8.tflite"
        path.write_bytes(content)
        loops = {"raw": raw_loop(path), "session": session_loop(path)}
        times: dict[str, list[float]] = {name: [] for name in loops}
        for _ in range(rounds):
            for name, loop in loops.items():
                times[name].append(seconds(loop, samples) / len(samples))
    medians = {name: statistics.median(values) for name, values in times.items()}
    ratio = medians["session"] / medians["raw"]
    result = {f"{name}_us": 1e6 * value for name, value in medians.items()} | {"ratio": ratio}
    common.finish(result, [] if ratio <= BAR else [f"Session.run costs {ratio:.3f} × the raw loop"])


if __name__ == "__main__":
    main()
