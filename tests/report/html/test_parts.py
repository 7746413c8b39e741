import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edgenn.report.html.charts.histogram import short_count
from edgenn.report.html.charts.ladder import Row, span
from edgenn.report.html.charts.pareto import Point, front
from edgenn.report.html.heat import MEASURES, level
from edgenn.report.html.pictures import CHANNELS, EDGE, Picture, input_view, output_view, shortened
from edgenn.report.html.theme import HEAT
from edgenn.report.html.words import listed, power, title_of, variant

values = st.floats(allow_nan=True, allow_infinity=True, width=32)


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(-9, 9)), min_size=1, max_size=12))
def test_a_front_holds_exactly_what_no_point_beats(pairs):
    points = [Point("int8", "f", "t", size, value, None) for size, value in pairs]
    best = front(points, higher=True)
    for point in points:
        beaten = any(
            other.size_bytes <= point.size_bytes
            and other.value >= point.value
            and (other.size_bytes, other.value) != (point.size_bytes, point.value)
            for other in points
        )
        on_front = (point.size_bytes, point.value) in {(p.size_bytes, p.value) for p in best}
        assert on_front != beaten


@given(st.lists(values, max_size=5), values)
def test_a_scale_shows_every_value(numbers, limit):
    rows = [Row("int8", "cpu", value, limit=limit) for value in numbers]
    low, high = span(rows)
    assert low < high
    assert all(low <= value <= high for value in numbers if math.isfinite(value))


@given(st.floats(1e-9, 1e9), st.floats(1e-9, 1e9))
def test_more_error_is_never_colder(first, second):
    for measure in MEASURES:
        small, large = sorted((first, second))
        assert 0 <= level(measure, small) <= level(measure, large) < len(HEAT)


def test_what_is_no_number_is_as_hot_as_can_be():
    assert level(MEASURES[0], math.nan) == level(MEASURES[0], math.inf) == len(HEAT) - 1


@given(arrays.arrays(np.float64, arrays.array_shapes(min_dims=0, max_dims=3, max_side=9)))
def test_every_input_has_a_look(array):
    assert input_view(array.tolist())


@pytest.mark.parametrize(
    ("shape", "width", "height"),
    [((8, 6, 1), 6, 8), ((300, 200, 3), 67, 75), ((20, 12), 12, 20), ((200, 8), 67, 8)],
)
def test_pictures_are_bounded(shape, width, height):
    view = input_view(np.random.default_rng(0).random(shape))
    assert isinstance(view, Picture)
    assert (view.width, view.height) == (width, height)
    assert max(width, height) <= EDGE


def test_few_channels_are_curves():
    assert input_view(np.ones((50, CHANNELS))).count("<polyline") == CHANNELS


def test_a_curve_keeps_its_peak_where_points_have_to_go():
    line = np.zeros(5000)
    line[2345] = 1.0
    short = shortened(line)
    assert len(short) <= 160
    assert short[:, 1].max() == 1.0


def test_outputs_are_pairs_of_bars_or_curves():
    assert output_view((0.1, 0.9), (0.2, float("nan")), 1).count("<rect") == 3
    assert output_view(tuple(range(64)), tuple(range(64)), None).count("<polyline") == 2


def test_words():
    assert listed(["a"]) == "a" and listed(["a", "b", "c"]) == "a, b and c" and listed([]) == ""
    assert [power(value) for value in (0.01, 1e-5, 3.0, 0.0)] == ["0.01", "10⁻⁵", "", ""]
    assert variant("my.net.int8.step.tflite") == "int8.step.tflite"
    assert variant("other.tflite") == "other.tflite"
    assert title_of("accuracy") == "accuracy" and title_of("excess") == "excess"
    assert [short_count(value) for value in (5, 1200, 2e6)] == ["5", "1.2k", "2M"]
