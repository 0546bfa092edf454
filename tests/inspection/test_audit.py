"""Audit: planted leaks are found, and forecasters of ours are not accused."""

import numpy as np
import pandas as pd
import pytest
from conftest import SMALL, make_panel
from sklearn.base import clone

import forecastkit as fk
from forecastkit.uncertainty.forecasts import PointForecast
from forecastkit.utils.exceptions import InputError, ParameterError

HORIZON, START = 4, 200
SIZES = {"horizon": HORIZON, "lookback": 12}
NETWORK = {**SMALL, **SIZES, "windows_per_epoch": 64}


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    index = pd.date_range("2024-01-01", periods=240, freq="h")
    level = 10 + np.sin(np.arange(240) * 2 * np.pi / 24)
    return pd.DataFrame({"y": level + 0.1 * rng.normal(size=240), "p": rng.normal(size=240)}, index=index)


def forecast(model, frame, start):
    """What a careful procedure does: fit before the start, forecast from there."""
    return clone(model).fit(frame[:start]).predict()["y"]


# Five ways to look ahead, as they are found in scripts.


def scaler_fitted_on_everything(frame, start):
    scaled = (frame - frame.mean()) / frame.std()
    return forecast(fk.LinearForecaster(**SIZES, target="y"), scaled, start) * frame["y"].std() + frame["y"].mean()


def centred_rolling_feature(frame, start):
    smooth = frame.assign(p=frame["y"].rolling(9, center=True, min_periods=1).mean())
    return forecast(fk.RNNForecaster(**NETWORK, target="y", past="p"), smooth, start)


def past_covariate_read_ahead(frame, start):
    ahead = frame.assign(p=frame["p"].shift(-HORIZON))
    return forecast(fk.RNNForecaster(**NETWORK, target="y", past="p"), ahead, start)


def early_stopping_on_the_test_block(frame, start):
    model = fk.RNNForecaster(**{**NETWORK, "epochs": 3}, target="y", validation_size=HORIZON, final_epochs=0)
    model.fit(frame[: start + HORIZON])
    return model.predict(history=frame[:start])["y"]


class WarmStart:
    """Refits that go on from the fit before."""

    def __init__(self):
        self.model = fk.RNNForecaster(**NETWORK, target="y")

    def __call__(self, frame, start):
        self.model = self.model.partial_fit(frame[:start])
        return self.model.predict()["y"]


LEAKS = {
    "scaler fitted on everything": scaler_fitted_on_everything,
    "centred rolling feature": centred_rolling_feature,
    "past covariate read ahead": past_covariate_read_ahead,
    "early stopping on the test block": early_stopping_on_the_test_block,
    "warm-started refits": WarmStart(),
}


@pytest.mark.filterwarnings("ignore:Panel. taken as past covariates")
@pytest.mark.parametrize("leak", LEAKS)
def test_planted_leaks_are_found(leak, table):
    found = fk.audit(LEAKS[leak], table, start=START, horizon=HORIZON)
    assert not found.passed
    assert "LEAK" in str(found)
    assert found.findings.loc[~found.findings["passed"], "detail"].str.contains("moved by up to").all()


@pytest.mark.filterwarnings("ignore:Panel. taken as past covariates")
def test_a_careful_procedure_is_not_accused(table):
    def careful(frame, start):
        return forecast(fk.RNNForecaster(**NETWORK, target="y"), frame, start)

    found = fk.audit(careful, table, start=START, horizon=HORIZON)
    assert found.passed, str(found)


class LooksAhead(fk.NaiveForecaster):
    """Knows the next value."""

    def _forecast(self, panel, origins):
        following = np.minimum(origins.row + 1, panel.rows - 1)
        return PointForecast(np.repeat(panel.target[following, origins.channel][:, None], self.horizon_, axis=1))


def test_leaky_forecasters_are_found(table):
    scaled, more = (fk.LinearForecaster(**SIZES).fit(table[["y"]][:rows]) for rows in (START, 240))
    scaled.scaler_ = more.scaler_
    found = fk.audit(scaled, table[["y"]]).findings
    assert found.loc[~found["passed"], "check"].tolist() == ["scales"]
    ahead = fk.audit(LooksAhead(**SIZES), table[["y"]], start=START).findings.set_index("changed")["passed"]
    assert not ahead["targets"]


OURS = {
    **{
        name: getattr(fk, f"{name}Forecaster")(**SIZES)
        for name in ("Naive", "SeasonalNaive", "Drift", "Mean", "Linear")
    },
    "GRU": fk.GRUForecaster(**NETWORK),
    "ensemble": fk.EnsembleForecaster(forecasters=[fk.NaiveForecaster(), fk.LinearForecaster()], **SIZES),
}


@pytest.mark.parametrize("name", OURS)
def test_forecasters_of_ours_are_not_accused(name):
    roles = {"target": "load", "known": "temp", "past": "wind", "static": "size"}
    panel = make_panel(120)
    start = panel["ds"].min() + pd.Timedelta("90h")
    found = fk.audit(clone(OURS[name]).set_params(**roles), panel, start=start)
    assert found.passed, str(found)
    checks = {"scales", "forecast", "fit and forecast", "fit again", "fit after other fits"}
    assert set(found.findings["check"]) == checks
    assert "targets of one other series" in set(found.findings["changed"])
    assert "known covariates beyond the horizon" in set(found.findings["changed"])


def test_categories_of_many_levels_are_no_leak():
    panel = make_panel(120).assign(shop=lambda frame: "shop " + (frame.index % 20).astype(str))
    roles = {"target": "load", "known": ["temp", "shop"], "past": "wind", "static": "size"}
    start = panel["ds"].min() + pd.Timedelta("90h")
    found = fk.audit(fk.LinearForecaster(**SIZES, **roles), panel, start=start)
    assert found.passed, str(found)


def test_arrays_and_tables_with_a_target_of_their_own(table):
    assert fk.audit(fk.LinearForecaster(**SIZES), table["y"].to_numpy(), start=START).passed
    assert fk.audit(fk.LinearForecaster(**SIZES), table[["p"]], table["y"], start=START).passed


def test_a_fitted_forecaster_is_taken_as_it_is(table):
    model = fk.LinearForecaster(**SIZES).fit(table[["y"]][:START])
    found = fk.audit(model, table[["y"]]).findings
    assert found["passed"].all()
    assert set(found["check"]) == {"scales", "forecast"}


def test_the_data_stay_as_they_were(table):
    before = table.copy()
    fk.audit(fk.NaiveForecaster(**SIZES), table, start=START, refits=False)
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"forecaster": 3}, "audit: forecaster must be a Forecaster or a procedure to call, got 3"),
        ({"forecaster": print}, "a procedure needs start="),
        ({"forecaster": fk.NaiveForecaster(), "horizon": 0}, "horizon must be a whole number of at least 1"),
    ],
)
def test_what_cannot_be_audited_is_refused(arguments, rule, table):
    with pytest.raises(ParameterError, match=rule):
        fk.audit(X=table[["y"]], **arguments)


def test_a_start_without_rows_after_it_is_refused(table):
    with pytest.raises(InputError, match="no complete window"):
        fk.audit(fk.NaiveForecaster(**SIZES), table[["y"]], start=239)
