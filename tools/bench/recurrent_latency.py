"""Latency of recurrent layers at 49 steps × 40 features, 64 units, beside the stock files.

One process, one thread, all files in turn, round after round; float in- and outputs, which
edgenn's int8 loop computes without a last rounding to int8 (``…_int8_border`` has it):

- LSTM int8: edgenn's loop against the fused op that tf_keras and TFLiteConverter write,
  calibrated with the same samples, both judged against Keras;
- GRU: edgenn's int8 loop against the float32 WHILE of the stock converter;
- GRU in ONNX: edgenn's file against Keras's own export.

    python tools/bench/recurrent_latency.py [--rounds 60]    (needs the extra ``bench``)
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import common
import numpy as np
from recurrent import ConversionError, by_edgenn, by_stock, layer_model, samples

from edgenn.errors import EdgennError

CALLS = 20
"""In a row for one file in a round; the first is not counted."""
RATIO_BARS = {
    ("lstm_int8_edgenn", "lstm_int8_fused"): 0.25,
    ("gru_int8_edgenn", "gru_float32_while"): 1.1,
    ("gru_onnx_edgenn", "gru_onnx_keras_export"): 0.15,
}

CONTESTANTS: dict[str, Callable[[], bytes]] = {
    "lstm_int8_fused": lambda: by_stock("fused_lstm_int8"),
    "lstm_int8_edgenn": lambda: by_edgenn(layer_model("LSTM"), "int8", "tflite", rnn="loop"),
    "lstm_int8_edgenn_int8_border": lambda: by_edgenn(
        layer_model("LSTM"), "int8", "tflite", rnn="loop", border="int8"
    ),
    "gru_float32_while": lambda: by_stock("while_gru_float32"),
    "gru_int8_edgenn": lambda: by_edgenn(layer_model("GRU"), "int8", "tflite", rnn="loop"),
    "gru_onnx_keras_export": lambda: by_stock("exported_gru_onnx"),
    "gru_onnx_edgenn": lambda: by_edgenn(layer_model("GRU"), "float32", "onnx"),
}


class LiteRT:
    """A .tflite on one thread, with LiteRT's defaults: XNNPACK."""

    def __init__(self, content: bytes) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(model_content=content, num_threads=1)
        self._interpreter.allocate_tensors()
        (self._source,) = self._interpreter.get_input_details()
        (self._target,) = self._interpreter.get_output_details()

    def prepare(self, x: np.ndarray) -> None:
        """A new sequence: the fused LSTM would go on with the state of the last one."""
        self._interpreter.reset_all_variables()
        values = common.to_integers(x, self._source)
        self._interpreter.set_tensor(self._source["index"], values)

    def invoke(self) -> None:
        self._interpreter.invoke()

    def output(self) -> np.ndarray:
        values = np.array(self._interpreter.get_tensor(self._target["index"]))
        return common.to_real(values, self._target)


class OnnxRuntime:
    """An .onnx on one thread."""

    def __init__(self, content: bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
        self._name = self._session.get_inputs()[0].name
        self._x = self._y = np.zeros(0, np.float32)

    def prepare(self, x: np.ndarray) -> None:
        self._x = x

    def invoke(self) -> None:
        (self._y,) = self._session.run(None, {self._name: self._x})

    def output(self) -> np.ndarray:
        return self._y


Runner = LiteRT | OnnxRuntime


def outputs(runner: Runner, x: np.ndarray) -> np.ndarray:
    rows = []
    for sample in x:
        runner.prepare(sample[None])
        runner.invoke()
        rows.append(runner.output()[0])
    return np.stack(rows)


def round_microseconds(runner: Runner, x: np.ndarray) -> float:
    """Median of some calls in a row."""
    times = []
    for sample in x:
        runner.prepare(sample[None])
        start = time.perf_counter()
        runner.invoke()
        times.append(time.perf_counter() - start)
    return 1e6 * statistics.median(times[1:])


def made() -> tuple[dict[str, Runner], dict[str, dict[str, Any]]]:
    """Every contestant ready to run, and a row for each; one that failed says why."""
    runners: dict[str, Runner] = {}
    rows: dict[str, dict[str, Any]] = {}
    for name, make in CONTESTANTS.items():
        try:
            content = make()
        except (ConversionError, EdgennError, TypeError) as error:
            rows[name] = {"error": str(error)}
            continue
        runners[name] = (OnnxRuntime if "onnx" in name else LiteRT)(content)
        rows[name] = {"bytes": len(content)}
    return runners, rows


def measure(rounds: int) -> dict[str, Any]:
    runners, rows = made()
    _, x = samples()
    expected = {cell: layer_model(cell).predict(x, verbose=0) for cell in ("LSTM", "GRU")}
    for name, runner in runners.items():
        reference = expected[name.split("_")[0].upper()]
        result = outputs(runner, x)
        rows[name]["rmse"] = common.rmse(result, reference)
        rows[name]["max_abs"] = float(np.abs(result - reference).max())
    times: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(rounds):
        for name, runner in runners.items():
            times[name].append(round_microseconds(runner, x[: CALLS + 1]))
    for name in runners:
        rows[name]["microseconds"] = statistics.median(times[name])
    ratios = {
        f"{ours} / {theirs}": statistics.median(
            mine / other for mine, other in zip(times[ours], times[theirs], strict=True)
        )
        for ours, theirs in RATIO_BARS
        if ours in times and theirs in times
    }
    return {"rows": rows, "ratios": ratios, "bars": bars(rows, ratios)}


def bars(rows: dict[str, dict[str, Any]], ratios: dict[str, float]) -> dict[str, bool]:
    """What was to be reached, and whether it was; what could not be measured was not."""
    reached = {
        f"{ours} / {theirs} ≤ {bar}": ratios.get(f"{ours} / {theirs}", np.inf) <= bar
        for (ours, theirs), bar in RATIO_BARS.items()
    }
    for error in ("rmse", "max_abs"):
        ours, theirs = (rows[f"lstm_int8_{who}"].get(error) for who in ("edgenn", "fused"))
        reached[f"LSTM int8 {error} no larger than the fused one's"] = (
            ours is not None and theirs is not None and ours <= theirs
        )
    return reached


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    result = measure(parser.parse_args().rounds)
    common.finish(result, [bar for bar, reached in result["bars"].items() if not reached])


if __name__ == "__main__":
    main()
