"""The table of ``edgenn history``."""

import io

from rich.console import Console

from edgenn.history import History, Point, Series
from edgenn.report.history import print_history, sparkline


def series(label, values, *, metric="accuracy", fingerprints=None, output="digit"):
    prints = fingerprints or ["f"] * len(values)
    points = tuple(
        Point(f"2026-11-{day:02}T09:30:00.000+00:00", "0.1.0", print_, "d", 0, value)
        for day, (value, print_) in enumerate(zip(values, prints, strict=True), 1)
    )
    return Series("digits_cnn", label, output, metric, points)


def printed(*rows):
    stream = io.StringIO()
    print_history(History("h.sqlite", 3, rows), Console(file=stream, width=80))
    return stream.getvalue()


def test_a_table():
    text = printed(
        series("Keras", [0.987] * 3),
        series("int8 unrolled batch1 tflite-micro", [0.987, 0.962, 0.982]),
    )
    lines = text.splitlines()
    assert lines[0] == "digits_cnn: accuracy in %, 2026-11-01 09:30 to 2026-11-03 09:30"
    assert "checks  first  worst  last" in lines[1]
    assert lines[3].split() == ["Keras", "▄▄▄", "3", "98.7", "98.7", "98.7"]
    words = ["int8", "unrolled", "batch1", "tflite-micro", "█▁▇", "3", "98.7", "96.2", "98.2"]
    assert lines[4].split() == words
    assert max(map(len, lines)) <= 80


def test_long_names_and_many_checks_fit_80_columns():
    rung = "int16x8 unrolled batch1 a-target-of-ones-own-with-a-name"
    text = printed(
        series(rung, [i / 20 for i in range(20)], output="classes"),
        series(rung, [0.5], output="boxes"),
    )
    assert max(map(len, text.splitlines())) <= 80
    assert "classes" in text and "boxes" in text


def test_changes_of_the_model_are_said():
    text = printed(series("int8 cpu-xnnpack", [0.9, 0.8], fingerprints=["a", "b"]))
    assert "the model was changed once, last at 2026-11-02 09:30" in text


def test_lower_is_better():
    text = printed(series("int8 cpu-xnnpack", [0.01, 0.02, 0.005], metric="rmse"))
    assert text.splitlines()[3].split()[-3:] == ["0.01", "0.02", "0.005"]


def test_metrics_of_another_edgenn():
    text = printed(series("int8 cpu-xnnpack", [0.01, None], metric="no_longer"))
    assert text.splitlines()[3].split()[-3:] == ["0.01"] * 3


def test_nothing():
    assert printed() == "no checks in h.sqlite\n"


def test_sparkline():
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert sparkline([1.0, None, 1.0]) == "▄·▄"
    assert sparkline([None]) == "·"
    assert sparkline([]) == ""
