"""A fitted forecaster is tested on newer rows alone: they follow the history that it keeps."""

import numpy as np
import pandas as pd
import pytest

import forecastkit as fk

ROWS = 120
FRAME = pd.concat(
    [
        pd.DataFrame(
            {
                "unique_id": name,
                "ds": pd.date_range("2024-01-01", periods=ROWS),
                "y": level + np.arange(ROWS) % 7 + np.random.default_rng(level).normal(size=ROWS),
            }
        )
        for name, level in (("a", 10), ("b", 100))
    ],
    ignore_index=True,
)
OLD, NEW = (FRAME[FRAME.groupby("unique_id").cumcount().between(*rows)] for rows in ((0, 99), (100, 200)))


@pytest.fixture(scope="module")
def fitted():
    return fk.LinearForecaster(horizon=7, lookback=21).fit(OLD)


@pytest.mark.parametrize("loaded", [False, True])
def test_newer_rows_alone_give_what_all_rows_give(fitted, tmp_path, loaded):
    if loaded:
        fitted.save(tmp_path / "m.forecast")
        fitted = fk.load(tmp_path / "m.forecast")
    alone, whole = fk.backtest(fitted, NEW).forecasts, fk.backtest(fitted, FRAME).forecasts
    assert len(alone) == 2 * 14 * 7
    pd.testing.assert_frame_equal(alone, whole)


def test_a_horizon_of_new_rows_is_one_window(fitted):
    test = fk.backtest(fitted, NEW[NEW.groupby("unique_id").cumcount() < 7])
    assert test.forecasts["cutoff"].unique().tolist() == [pd.Timestamp("2024-04-09")]
    assert test.forecasts["actual"].notna().all()


def test_a_position_counts_the_given_rows(fitted):
    first = fk.backtest(fitted, NEW, start=10, n_windows=1).forecasts
    assert first["ds"].min() == pd.Timestamp("2024-01-01") + pd.Timedelta(days=110)
