"""Known covariates that equal the shifted target are refused; similar ones are not."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import forecastkit as fk

ROWS, HORIZON = 120, 6
TIMES = pd.date_range("2024-01-01", periods=ROWS, freq="h")
Y = pd.Series(np.random.default_rng(0).normal(size=ROWS).cumsum(), index=TIMES, name="load")


def fit(known, y=Y, **options):
    X = pd.DataFrame({"other": np.arange(ROWS) % 5, "temp": np.asarray(known)}, index=y.index)
    return fk.NaiveForecaster(horizon=HORIZON, **options).fit(X, y)


@settings(deadline=None, max_examples=25)
@given(st.integers(-HORIZON, 2 * HORIZON))
def test_the_target_moved_by_less_than_the_horizon(lag):
    if lag >= HORIZON:
        fit(Y.shift(lag))
        return
    when = "of the same row" if lag == 0 else f"{abs(lag)} step.s. {'before' if lag > 0 else 'later'}"
    says = f"shifted by less than the horizon of 6, got 'temp', which is 'load' {when}. Shift it by at least 6 steps"
    with pytest.raises(fk.InputError, match=says):
        fit(Y.shift(lag))


def test_a_covariate_with_leading_blanks_is_not_a_leak():
    fit(np.where(np.arange(ROWS) < 70, np.nan, np.random.default_rng(1).normal(size=ROWS)))
    fit(np.full(ROWS, np.nan))
    with pytest.raises(fk.InputError, match="'temp', which is 'load' 2 step"):
        fit(Y.shift(2).where(np.arange(ROWS) >= 70))


def test_in_every_series_of_a_panel():
    parts = [Y.reset_index(name="load").assign(unique_id=name) for name in "ab"]
    panel = pd.concat(parts).rename(columns={"index": "ds"})
    panel["load"] *= np.where(panel["unique_id"] == "a", 1, 7)
    moved = panel.groupby("unique_id")["load"].shift(2)
    model = fk.NaiveForecaster(horizon=HORIZON, target="load", known="temp")
    with pytest.raises(fk.InputError, match="'temp', which is 'load' 2 step"):
        model.fit(panel.assign(temp=moved))
    honest = panel.assign(temp=moved.where(panel["unique_id"] == "a", 0.0))
    assert model.fit(honest).horizon_ == HORIZON


def test_gaps_do_not_hide_a_leak():
    y = Y.copy()
    y.iloc[::7] = np.nan
    known = Y.shift(1)
    known.iloc[::5] = np.nan
    with pytest.raises(fk.InputError, match="which is 'load' 1 step"):
        fit(known, y)


def test_one_different_row_is_not_a_leak():
    known = Y.shift(1)
    known.iloc[77] += 1
    assert fit(known).cutoff_ == TIMES[-1]


def test_equalities_that_do_not_prove_a_leak():
    season = pd.Series(np.arange(ROWS) % 4 * 1.5, index=TIMES, name="load")
    assert fit(season.shift(8), season).horizon_ == HORIZON  # it equals the target of the same row as well
    assert fit(np.ones(ROWS), pd.Series(1.0, index=TIMES)).horizon_ == HORIZON
    assert fk.NaiveForecaster(horizon=3).fit(np.arange(40.0)[:, None], np.arange(40.0)).horizon_ == 3, "few rows"


def test_past_covariates_may_equal_the_target():
    assert fit(Y.shift(1), past="temp").horizon_ == HORIZON
