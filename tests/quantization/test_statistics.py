import numpy as np
import pytest

from edgenn.quantization.calibrators import CALIBRATORS
from edgenn.quantization.statistics import BINS, PRODUCT_ROWS, Statistics, sampling_stride


def seen(*batches: np.ndarray) -> Statistics:
    statistics = Statistics(histogram=True)
    for batch in batches:
        statistics.update(batch.astype(np.float32))
    return statistics


def test_extremes_are_exact_over_batches() -> None:
    statistics = seen(np.array([1.0, -2.0]), np.array([0.5, 7.25]))
    assert (statistics.low, statistics.high) == (-2.0, 7.25)


def test_doubling_the_histogram_loses_no_value() -> None:
    batches = [np.linspace(-1, 1, 1000) * scale for scale in (0.01, 1.0, 100.0, 3.0)]
    statistics = seen(*batches)
    assert statistics.counts.sum() == 4000
    counted = np.repeat(statistics.centers, statistics.counts)
    width = 2 * statistics.limit / BINS
    everything = np.sort(np.concatenate(batches))
    assert np.abs(np.sort(counted) - everything).max() <= 2 * width


def test_memory_does_not_grow_with_the_data() -> None:
    statistics = seen(*(np.random.default_rng(i).normal(size=100_000) for i in range(20)))
    assert statistics.counts.nbytes == BINS * 8


def test_minmax_keeps_an_outlier_that_percentile_cuts() -> None:
    values = np.random.default_rng(0).normal(size=30_000)
    values[100] = 60.0
    statistics = seen(values)
    high = {name: c.choose(statistics, 255).high for name, c in CALIBRATORS.items()}
    assert high["minmax"] == pytest.approx(60.0)
    assert high["percentile"] < 6.0


def test_mse_is_no_worse_than_minmax_on_what_it_minimises() -> None:
    values = np.random.default_rng(1).laplace(size=32_000).astype(np.float32)
    statistics = seen(values)

    def error(name: str) -> float:
        chosen = CALIBRATORS[name].choose(statistics, 255)
        scale = (chosen.high - chosen.low) / 255
        stored = np.clip(np.round(values / scale), np.round(chosen.low / scale), None)
        stored = np.minimum(stored, np.round(chosen.high / scale)) * scale
        return float(np.square(stored - values).mean())

    assert error("mse") <= error("minmax")


def test_a_constant_tensor_has_a_range() -> None:
    statistics = seen(np.zeros(10))
    for calibrator in CALIBRATORS.values():
        chosen = calibrator.choose(statistics, 255)
        assert chosen.low <= 0 <= chosen.high + 1e-3


def test_sampling_sees_every_channel() -> None:
    for channels in (3, 16, 48, 96, 1280):
        size = channels * 100_003
        seen_channels = np.arange(0, size, sampling_stride(size, 8192)) % channels
        assert len(np.unique(seen_channels)) == channels


def test_channel_means_and_magnitudes_are_those_of_all_rows() -> None:
    values = np.random.default_rng(2).normal(size=(4, 5, 6, 3)).astype(np.float32)
    statistics = Statistics(means=True, magnitudes=True)
    statistics.update(values[:1])
    statistics.update(values[1:])
    rows = values.reshape(-1, 3)
    assert statistics.means == pytest.approx(rows.mean(axis=0), abs=1e-6)
    assert statistics.magnitudes == pytest.approx(np.abs(rows).max(axis=0))


def with_products(*batches: np.ndarray) -> Statistics:
    statistics = Statistics(products=True)
    for batch in batches:
        statistics.update(batch.astype(np.float32))
    return statistics


def test_products_are_the_mean_over_all_rows() -> None:
    values = np.random.default_rng(3).normal(size=(7, 5, 3)).astype(np.float32)
    statistics = with_products(values[:4], values[4:])
    rows = values.reshape(-1, 3).astype(np.float64)
    np.testing.assert_allclose(statistics.mean_products, rows.T @ rows / len(rows), atol=1e-6)


def test_halves_of_the_products_hold_all_rows_once() -> None:
    values = np.random.default_rng(4).normal(size=(6, 5, 3)).astype(np.float32)
    statistics = with_products(values)
    first, second = values[:3].reshape(-1, 3), values[3:].reshape(-1, 3)
    for ours, rows in zip(statistics.half_products, (first, second), strict=True):
        np.testing.assert_allclose(ours, rows.T @ rows / len(rows), atol=1e-5)


def test_single_rows_go_to_both_halves() -> None:
    statistics = with_products(*(np.full((1, 2), i) for i in range(5)))
    assert sorted(statistics.product_rows) == [2, 3]


def test_products_of_many_rows_are_those_of_a_part() -> None:
    rng = np.random.default_rng(5)
    causes = rng.normal(size=(2, 8))
    values = (rng.normal(size=(60_000, 2)) @ causes).reshape(6, 10_000, 8)
    statistics = with_products(values)
    assert statistics.product_rows.sum() <= 2 * PRODUCT_ROWS
    everything = values.reshape(-1, 8)
    expected = everything.T @ everything / len(everything)
    assert np.abs(statistics.mean_products - expected).max() < 0.1 * np.abs(expected).max()


def test_products_go_through_the_message_of_the_worker() -> None:
    statistics = with_products(np.random.default_rng(6).normal(size=(9, 4)))
    arrays = {name: getattr(statistics, name) for name in Statistics.ARRAYS}
    copy = Statistics.from_state(statistics.state(), arrays)
    np.testing.assert_array_equal(copy.mean_products, statistics.mean_products)
    np.testing.assert_array_equal(copy.half_products, statistics.half_products)
