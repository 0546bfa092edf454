"""Law 7: what comes after the cutoff cannot change a forecast made at it, bit for bit."""

import numpy as np
import pandas as pd
import pytest
from conftest import SMALL, make_panel
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge

import forecastkit as fk

SIZES = {"horizon": 4, "lookback": 12}
NETWORK = {**SMALL, **SIZES, "windows_per_epoch": 64, "linear_path": True}
ROLES = {"target": "load", "known": "temp", "past": "wind", "static": "size"}
FORECASTERS = {
    **{
        name: getattr(fk, f"{name}Forecaster")(**SIZES)
        for name in ("Naive", "SeasonalNaive", "Drift", "Mean", "Linear")
    },
    "tabular": fk.TabularForecaster(**SIZES, regressor=HistGradientBoostingRegressor(max_iter=4, max_leaf_nodes=7)),
    "tabular ridge": fk.TabularForecaster(**SIZES, regressor=Ridge(), anchor="last"),
    "GRU": fk.GRUForecaster(**NETWORK),
    "ensemble": fk.EnsembleForecaster(forecasters=[fk.NaiveForecaster(), fk.LinearForecaster()], **SIZES),
}
PANEL = make_panel(120)
CUTOFF = PANEL["ds"].min() + pd.Timedelta("69h")
SEEN, LATER = PANEL[PANEL["ds"] <= CUTOFF], PANEL["ds"] > CUTOFF
BEYOND = PANEL["ds"] > CUTOFF + pd.Timedelta("4h")


def bend(frame, rows, columns):
    frame = frame.copy()
    frame.loc[rows, columns] = frame.loc[rows, columns] * -9 + 50
    return frame


#: Changes of the future that a forecast made at the cutoff must not notice.
BENT = {
    "targets and past": bend(PANEL, LATER, ["load", "wind"]),
    "targets of one other series": bend(PANEL, LATER & (PANEL["unique_id"] == "c"), ["load"]),
    "known covariates after the horizon": bend(PANEL, BEYOND, ["temp"]),
    "missing targets": PANEL.assign(load=PANEL["load"].where(~BEYOND), wind=PANEL["wind"].where(~LATER)),
}


def forecasts(frame, cutoff=CUTOFF):
    frame = frame[frame["cutoff"] == cutoff]
    numbers = frame.drop(columns="actual").select_dtypes("number").to_numpy()
    assert np.isfinite(numbers).all()
    assert len(numbers) > 0
    return numbers


@pytest.fixture(scope="module", params=FORECASTERS)
def fitted(request):
    return clone(FORECASTERS[request.param]).set_params(**ROLES).fit(SEEN)


def at_cutoff(model, frame):
    result = fk.backtest(model, frame, start=CUTOFF + pd.Timedelta("1h"), stride=6, quantile_levels=[0.1, 0.9])
    return forecasts(result.forecasts)


@pytest.mark.parametrize("what", BENT)
def test_backtests_of_a_fitted_forecaster(fitted, what):
    np.testing.assert_array_equal(at_cutoff(fitted, PANEL), at_cutoff(fitted, BENT[what]))


@pytest.mark.parametrize("what", ["targets and past", "known covariates after the horizon"])
def test_rows_to_forecast(fitted, what):
    rows, perturbed = (frame[LATER & ~BEYOND] for frame in (PANEL, BENT[what]))
    pd.testing.assert_frame_equal(fitted.predict(rows), fitted.predict(perturbed), check_exact=True)
    more = BENT["known covariates after the horizon"][LATER]
    one, other = (fitted.predict(frame)["load"].to_numpy() for frame in (PANEL[LATER], more))
    first = (~BEYOND[LATER]).to_numpy()
    np.testing.assert_array_equal(one[first], other[first])


def test_series_never_seen_before(fitted):
    """They are scaled by their own values, of which only those up to the cutoff count."""
    new, perturbed = (f.assign(unique_id="new " + f["unique_id"]) for f in (PANEL, BENT["targets and past"]))
    np.testing.assert_array_equal(at_cutoff(fitted, new), at_cutoff(fitted, perturbed))


@pytest.mark.parametrize("name", [n for n in FORECASTERS if n != "GRU"])
@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize("what", ["targets and past", "targets of one other series"])
def test_backtests_that_fit(name, refit, what):
    results = []
    for frame in (PANEL, BENT[what]):
        model = clone(FORECASTERS[name]).set_params(**ROLES)
        start = CUTOFF + pd.Timedelta("1h")
        results.append(forecasts(fk.backtest(model, frame, start=start, stride=20, refit=refit).forecasts))
    np.testing.assert_array_equal(*results)


def test_fits_of_a_network_see_only_their_rows():
    """The same rows with other rows behind them, which the backtest holds back, train the same weights."""
    results = []
    for frame in (PANEL, BENT["targets and past"]):
        model = clone(FORECASTERS["GRU"]).set_params(**ROLES)
        results.append(forecasts(fk.backtest(model, frame, start=CUTOFF + pd.Timedelta("1h"), n_windows=1).forecasts))
    np.testing.assert_array_equal(*results)


def test_a_history_is_only_its_past(fitted):
    """Rows of a history whose targets are missing lend nothing but their known covariates."""
    blank = PANEL.assign(load=PANEL["load"].where(~LATER))
    perturbed = bend(blank, LATER, ["wind"])
    one, other = (fitted.predict(history=frame)["load"] for frame in (blank, perturbed))
    np.testing.assert_array_equal(one, other)
