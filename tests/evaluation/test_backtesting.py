"""Backtests against loops written by hand."""

import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import make_panel, wave
from sklearn.base import clone

import forecastkit as fk
from forecastkit import InputError
from forecastkit.evaluation import backtesting
from forecastkit.evaluation.results import coverage_by_third, drift

ROWS = 120
TIMES = pd.date_range("2024-01-01", periods=ROWS, freq="h", name="when")
SERIES = pd.Series(wave(ROWS), index=TIMES, name="load")
LINEAR = fk.LinearForecaster(horizon=4, lookback=12)
NAIVE = fk.NaiveForecaster(horizon=4)


def at(frame, cutoff):
    return frame.loc[frame["cutoff"] == cutoff, "forecast"].to_numpy()


def test_forecasts_actuals_and_steps():
    got = fk.backtest(NAIVE, SERIES, start=100, stride=5).forecasts
    assert list(got.columns) == ["when", "cutoff", "step", "forecast", "actual"]
    rows = [(99 + 5 * w, s) for w in range(4) for s in range(1, 5)]
    assert got["cutoff"].tolist() == [TIMES[c] for c, _ in rows]
    assert got["step"].tolist() == [s for _, s in rows]
    assert got["when"].tolist() == [TIMES[c + s] for c, s in rows]
    assert got["forecast"].tolist() == [SERIES.iloc[c] for c, _ in rows]
    assert got["actual"].tolist() == [SERIES.iloc[c + s] for c, s in rows]


def test_scores_by_hand():
    result = fk.backtest(NAIVE, SERIES, start=100)
    f = result.forecasts
    naive = [SERIES[when - pd.Timedelta("24h")] for when in f["when"]]
    scale = np.abs(SERIES[:100].to_numpy()[24:] - SERIES[:100].to_numpy()[:-24]).mean()
    own, reference = (np.abs(f["actual"] - values).mean() for values in (f["forecast"], naive))
    table = result.scores
    assert table.index.tolist() == ["forecaster", "seasonal naive"]
    np.testing.assert_allclose(table["mae"], [own, reference])
    np.testing.assert_allclose(table["mase"], [own / scale, reference / scale])
    np.testing.assert_allclose(table["skill"], [1 - own / reference, 0])


@pytest.mark.parametrize("start", [100, TIMES[100], "2024-01-05 04:00"])
def test_starts_are_labels_or_positions(start):
    assert fk.backtest(NAIVE, SERIES, start=start).forecasts["cutoff"].iloc[0] == TIMES[99]


def test_windows_are_counted_back_from_the_end():
    cutoffs = fk.backtest(NAIVE, SERIES, n_windows=3, stride=2).forecasts["cutoff"].unique()
    assert list(cutoffs) == [TIMES[ROWS - 1 - 4 - 2 * i] for i in (2, 1, 0)]
    cutoffs = fk.backtest(NAIVE, SERIES, start=50, n_windows=2, stride=2).forecasts["cutoff"].unique()
    assert list(cutoffs) == [TIMES[49], TIMES[51]]
    assert len(fk.backtest(NAIVE, SERIES).forecasts) == 4 * (24 - 4 + 1)


def test_a_gap_leaves_out_the_first_steps():
    got = fk.backtest(NAIVE, SERIES, start=100, gap=2, stride=4).forecasts
    assert got["step"].unique().tolist() == [3, 4]
    assert got["when"].iloc[0] == TIMES[100]
    assert got["cutoff"].iloc[0] == TIMES[97]


def test_refitting_at_every_cutoff_is_the_loop():
    got = fk.backtest(LINEAR, SERIES, start=100, stride=5, refit=True).forecasts
    for cutoff in range(99, 116, 5):
        loop = clone(LINEAR).fit(SERIES[: cutoff + 1]).predict()
        np.testing.assert_array_equal(at(got, TIMES[cutoff]), loop)


def test_refitting_at_every_second_cutoff_is_the_loop():
    got = fk.backtest(LINEAR, SERIES, start=100, stride=5, refit=2).forecasts
    for first in (99, 109):
        model = clone(LINEAR).fit(SERIES[: first + 1])
        for cutoff in (first, first + 5):
            np.testing.assert_allclose(at(got, TIMES[cutoff]), model.predict(history=SERIES[: cutoff + 1]), rtol=1e-6)


def test_an_unfitted_forecaster_is_fitted_up_to_the_first_cutoff():
    model = clone(LINEAR)
    one = fk.backtest(model, SERIES, start=100).forecasts
    assert not hasattr(model, "history_")
    other = fk.backtest(clone(LINEAR).fit(SERIES[:100]), SERIES, start=100).forecasts
    pd.testing.assert_frame_equal(one, other)


def test_many_origins_are_those_of_predict():
    model = clone(LINEAR).fit(SERIES[:80])
    got = fk.backtest(model, SERIES, start=80).forecasts
    for cutoff in (79, 90, 115):
        np.testing.assert_allclose(at(got, TIMES[cutoff]), model.predict(history=SERIES[: cutoff + 1]), rtol=1e-6)


def test_a_fitted_forecaster_goes_on_where_its_rows_end():
    model = clone(NAIVE).fit(SERIES[:100])
    assert fk.backtest(model, SERIES).forecasts["cutoff"].iloc[0] == TIMES[99]
    with pytest.raises(InputError, match="tested on rows after those it was fitted on, got 10 cutoffs before its own"):
        fk.backtest(model, SERIES, start=90)
    # Rows that came by update were not trained on.
    model.update(SERIES[100:110])
    assert fk.backtest(model, SERIES).forecasts["cutoff"].iloc[0] == TIMES[99]
    with pytest.raises(InputError, match="10 cutoffs before its own"):
        fk.backtest(model, SERIES, start=90)


def ragged() -> pd.DataFrame:
    """Three series that begin and end at different times."""
    parts = [("a", 0, 120), ("b", 30, 110), ("c", 95, 120)]
    return pd.concat(
        [pd.DataFrame({"unique_id": n, "ds": TIMES[i:j], "y": wave(j - i, k)}) for k, (n, i, j) in enumerate(parts)],
        ignore_index=True,
    )


def test_ragged_panels_have_their_own_windows():
    got = fk.backtest(NAIVE, ragged(), n_windows=2, stride=3).forecasts
    cutoffs = got.groupby("unique_id")["cutoff"].unique()
    for name, end in (("a", 120), ("b", 110), ("c", 120)):
        assert list(cutoffs[name]) == [TIMES[end - 8], TIMES[end - 5]]
    assert got["cutoff"].is_monotonic_increasing


def test_a_later_series_joins_the_stride():
    got = fk.backtest(NAIVE, ragged(), start=TIMES[80], stride=10).forecasts
    cutoffs = got.groupby("unique_id")["cutoff"].unique()
    assert list(cutoffs["a"]) == [TIMES[79], TIMES[89], TIMES[99], TIMES[109]]
    assert list(cutoffs["c"]) == [TIMES[99], TIMES[109]]
    assert np.isfinite(got["forecast"]).all()


@pytest.mark.parametrize("refit", [False, True])
def test_ragged_panels_refitted(refit):
    got = fk.backtest(LINEAR, ragged(), start=TIMES[80], stride=10, refit=refit).forecasts
    assert np.isfinite(got["forecast"]).all()
    assert len(got) == 4 * (4 + 3 + 2)


def test_covariates_and_quantiles():
    panel = make_panel()
    model = fk.LinearForecaster(horizon=4, lookback=12, target="load", known="temp", past="wind", static="size")
    got = fk.backtest(model, panel, n_windows=3, quantile_levels=[0.1, 0.9])
    assert list(got.forecasts.columns)[-4:] == ["forecast", "q0.1", "q0.9", "actual"]
    assert (got.forecasts["q0.1"] <= got.forecasts["q0.9"]).all()
    assert {"coverage_0.8", "pinball_q0.1"} <= set(got.scores.columns)
    X, y = panel.drop(columns="load"), panel["load"]
    model = fk.NaiveForecaster(horizon=4, series_id="unique_id", time="ds")
    assert len(fk.backtest(model, X, y, n_windows=1).forecasts) == 12


def test_actuals_may_be_missing():
    series = SERIES.copy()
    series.iloc[110:113] = np.nan
    result = fk.backtest(NAIVE, series, start=108, stride=20)
    assert result.forecasts["actual"].isna().tolist() == [False, False, True, True]
    assert result.scores["rows"].tolist() == [2, 2]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"n_windows": 0}, "n_windows must be a whole number"),
        ({"stride": 0}, "stride must be a whole number"),
        ({"gap": -1}, "gap must be a whole number"),
        ({"gap": 4}, "gap must be shorter than the horizon, got gap 4, horizon 4"),
        ({"refit": -2}, "refit must be a whole number"),
        ({"start": "soon"}, "start must be a time of the data or a position, got 'soon'"),
        ({"start": TIMES[5] + pd.Timedelta("1min")}, r"start must lie on the data's grid \(hourly\)"),
        ({"start": 0}, "at least one observed row before the first cutoff"),
        ({"start": 118}, "horizon 4 must fit between the first cutoff and the end of the data"),
    ],
)
def test_refused(options, sentence):
    with pytest.raises(InputError, match=sentence):
        fk.backtest(NAIVE, SERIES, **options)


# ---------------------------------------------------------------------------------------------- coverage by thirds


def intervals(held, horizon=2):
    """A backtest of one series, a cutoff per value of `held`: whether its interval holds the actuals."""
    held = np.repeat(held, horizon)
    cutoff = np.repeat(np.arange(len(held) // horizon), horizon)
    frame = pd.DataFrame({"cutoff": cutoff, "step": np.tile(np.arange(horizon) + 1, len(held) // horizon)})
    frame = frame.assign(forecast=0.0, **{"q0.1": -1.0, "q0.5": 0.0, "q0.9": 1.0}, actual=np.where(held, 0.0, 2.0))
    return SimpleNamespace(forecasts=frame, coverage=None, reference=SimpleNamespace(series=()))


def test_coverage_by_third_counts_each_third_by_hand():
    test = intervals([True] * 4 + [True, False] * 2 + [False] * 3 + [True])
    assert coverage_by_third(test).loc[0.8].tolist() == [1.0, 0.5, 0.25]


@pytest.mark.parametrize(
    ("held", "stride", "found"),
    [
        ([True] * 20 + [True] * 20 + [True, False] * 10, 1, -0.5),
        ([False, True] * 10 + [True] * 40, 1, 0.5),
        ([True, True, True, False] * 15, 1, 0.0),
        ([True] * 38 + [False] + [True] * 21, 1, 0.0),
        # One block of time per third: chance is not known.
        ([True] * 4 + [True] * 4 + [False] * 4, 1, 0.0),
    ],
)
def test_a_drift_is_a_clear_difference_between_the_first_and_the_last_third(held, stride, found):
    assert drift(intervals(held), 0.8, stride) == pytest.approx(found)


def _staggered(series=12, rows=40, apart=30):
    """Monthly series with a trend, each of which starts and ends `apart` rows after the one before it."""
    starts = range(0, series * apart, apart)
    months = pd.date_range("1900-01-01", periods=series * apart + rows, freq="MS")
    parts = [pd.DataFrame({"ds": months[at : at + rows], "id": f"s{at}", "y": np.arange(rows) + at}) for at in starts]
    return pd.concat(parts, ignore_index=True)


def test_series_that_end_far_apart_are_fitted_up_to_their_own_cutoffs():
    model = fk.LinearForecaster(horizon=4, lookback=8, season_length=1, time="ds", series_id="id")
    with pytest.warns(UserWarning, match="up to its own first cutoff"):
        found = fk.backtest(model, _staggered(), n_windows=2)
    assert found.forecasts["id"].nunique() == 12
    assert found.scores.loc["forecaster", "mae"] < 0.1  # a common training period has rows of the first series only


def test_series_that_end_close_together_are_fitted_before_the_earliest_cutoff(recwarn):
    frame = _staggered(series=3, apart=2)
    model = fk.LinearForecaster(horizon=4, lookback=8, season_length=1, time="ds", series_id="id")
    first = fk.backtest(model, frame, n_windows=1).forecasts
    later = frame["ds"] > first["cutoff"].min()
    changed = fk.backtest(model, frame.assign(y=frame["y"].where(~later, frame["y"] ** 2)), n_windows=1).forecasts
    earliest = first["cutoff"] == first["cutoff"].min()
    pd.testing.assert_series_equal(first["forecast"][earliest], changed["forecast"][earliest])
    assert not [w for w in recwarn if "own first cutoff" in str(w.message)]


def test_thirds_count_cutoffs_back_from_the_end_of_each_series():
    with pytest.warns(UserWarning, match="up to its own first cutoff"):
        test = fk.backtest(
            fk.SeasonalNaiveForecaster(horizon=1, season_length=1, time="ds", series_id="id"),
            _staggered(),
            n_windows=3,
            quantile_levels=[0.1, 0.9],
        )
    frame = test.forecasts
    inside = (frame["actual"] >= frame["q0.1"]) & (frame["actual"] <= frame["q0.9"])
    by_hand = inside.groupby(frame.groupby("id").cumcount()).mean()
    np.testing.assert_allclose(coverage_by_third(test).loc[0.8], by_hand)


def calls_of_scales(series):
    """Number of functions called, of Python and C, to compute the scales of a backtest of so many series."""
    calls, scales = [], backtesting._scales

    def counted(*given):
        sys.setprofile(lambda frame, event, argument: calls.append(event) if event.endswith("call") else None)
        try:
            return scales(*given)
        finally:
            sys.setprofile(None)

    names, rows = np.repeat(np.arange(series), 12), np.tile(np.arange(12), series)
    frame = pd.DataFrame({"unique_id": names, "ds": rows, "y": rows % 5.0})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backtesting, "_scales", counted)
        fk.backtest(fk.NaiveForecaster(horizon=2), frame, n_windows=1)
    return len(calls)


def test_scales_of_many_series_need_no_more_calls_than_those_of_a_few():
    few, many = calls_of_scales(3), calls_of_scales(60)
    assert many < few + 57
