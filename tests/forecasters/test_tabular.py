"""A regressor on a table of lags, calendar and covariates, as a forecaster."""

import numpy as np
import pandas as pd
import pytest
from conftest import ROLES, make_panel, wave
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import forecastkit as fk
from forecastkit.data.time_grid import TimeGrid
from forecastkit.data.windows import Origins
from forecastkit.features.lags import calendar_column_names, calendar_columns

SIZES = {"horizon": 6, "lookback": 30}


class Spy(RegressorMixin, BaseEstimator):
    """Keeps what it is given, and forecasts 0."""

    def __init__(self, takes_nan=False):
        self.takes_nan = takes_nan

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.takes_nan
        return tags

    def fit(self, X, y, sample_weight=None):
        self.X_, self.y_, self.weight_ = X, y, sample_weight
        return self

    def predict(self, X):
        self.asked_ = X
        return np.zeros(len(X))


def slow_row(model, panel, buffers, entity, row, step):
    """The table's row by plain loops, in units of the series' scale."""
    low, high = panel.indptr[entity], panel.indptr[entity + 1]

    def at(place, buffer=buffers.target):
        seen = max(low, row - model.lookback_ + 1) <= place <= row
        return buffer[place, 0] if seen else np.nan

    def mean(length):
        window = [at(row - back) for back in range(length)]
        return np.nan if np.isnan(window).all() else np.nanmean(window)

    out = {f"lag_{k + 1}": at(row - k) for k in range(12)}
    out |= {f"mean_{length}": mean(length) for length in (24, 30)}
    for back in range(1, 5):
        out[f"season_24_{back}"] = at(row + step - 24 * (-(-step // 24) + back - 1))
    anchors = {"last": [out["lag_1"], out["mean_30"]], "none": [], "season": [out["season_24_1"], out["mean_30"]]}
    anchors["mean"] = [out["mean_24"], out["mean_30"]]
    anchor = next((value for value in anchors[model.anchor_] if not np.isnan(value)), 0.0)
    out = {name: value - anchor for name, value in out.items()}
    out |= {"anchor": anchor, "step": step, "past_0": buffers.past[row, 0], "static_0": buffers.static[entity, 0]}
    out["known_0"] = buffers.known[row + step, 0] if low <= row + step < high else np.nan
    stamp = panel.grid.timestamps(np.array([panel.start[entity] + row + step - low]))[0]
    return out | {"hour": stamp.hour, "weekday": stamp.day_of_week, "day_of_year": stamp.day_of_year}


@pytest.mark.parametrize("anchor", ["last", "season", "mean", "none"])
def test_the_table_is_what_loops_say(anchor):
    model = fk.TabularForecaster(regressor=Spy(takes_nan=True), anchor=anchor, **SIZES, **ROLES).fit(make_panel(120))
    panel = model.history_
    buffers = model.scaler_.buffers(panel, model.lookback_, model.horizon_)
    rows = np.array([0, 5, 32, 62, 119, 120, 170, 219, 299])
    entity = np.searchsorted(panel.indptr, rows, side="right") - 1
    origins = Origins(entity, rows, np.zeros_like(rows))[np.repeat(np.arange(len(rows)), 3)]
    table, _ = model._table(panel, buffers, origins, np.tile([1, 4, 6], len(rows)))
    got = pd.DataFrame(table, columns=model._names(buffers, panel.grid))
    pairs = [(e, row, step) for e, row in zip(entity, rows, strict=True) for step in (1, 4, 6)]
    expected = pd.DataFrame([slow_row(model, panel, buffers, *pair) for pair in pairs])
    pd.testing.assert_frame_equal(got[expected.columns], expected.astype("float32"), rtol=1e-4, atol=1e-5)
    assert [name for name in got if name not in expected] == [f"calendar_{i}" for i in range(5)]


def test_targets_are_counted_from_the_anchor_and_forecasts_put_it_back():
    series = np.arange(100.0)
    model = fk.TabularForecaster(regressor=Spy(), anchor="last", **SIZES).fit(series)
    np.testing.assert_allclose(model.predict(), 99.0, rtol=1e-6)
    steps = model.regressor_.X_[:, model.feature_names_.index("step")]
    np.testing.assert_allclose(model.regressor_.y_, steps / series[:80].std(), rtol=1e-4)


def test_missing_cells_stay_where_the_regressor_takes_them(panel):
    with_nan = fk.TabularForecaster(regressor=Spy(takes_nan=True), **SIZES, **ROLES).fit(panel).regressor_.X_
    model = fk.TabularForecaster(regressor=Spy(), **SIZES, **ROLES).fit(panel)
    filled = model.regressor_.X_
    missing = np.isnan(with_nan)
    assert missing.any()
    assert not np.isnan(filled).any()
    np.testing.assert_array_equal(filled[~missing], with_nan[~missing])
    column = missing.any(axis=0).argmax()
    np.testing.assert_allclose(filled[missing[:, column], column], np.nanmean(with_nan[:, column]), rtol=1e-4)


@pytest.mark.parametrize("most", [1, 100, 10**6])
def test_the_table_has_at_most_max_rows(hourly, most):
    model = fk.TabularForecaster(regressor=Spy(), max_rows=most, **SIZES).fit(hourly)
    windows = 2 * (240 - 30 - 6 + 1)
    assert 0.9 * min(most, windows * 6) <= len(model.regressor_.X_) <= min(most, windows * 6)


def anchor_of(series, **options):
    return fk.TabularForecaster(regressor=Spy(), horizon=12, lookback=72, **options).fit(series).anchor_


def test_the_anchor_is_what_comes_nearest():
    rng = np.random.default_rng(0)
    index = pd.date_range("2024-01-01", periods=600, freq="h")
    walk, noise = rng.normal(size=600).cumsum(), rng.normal(size=600)
    season = 20 * np.sin(2 * np.pi * np.arange(600) / 24) + walk
    level = noise + 4 * np.sin(2 * np.pi * np.arange(600) / 600)
    got = [anchor_of(pd.Series(values, index)) for values in (walk, season, level, noise)]
    assert got == ["last", "season", "mean", "mean"]
    assert anchor_of(pd.Series(walk, index), anchor="season") == "season"


def test_a_known_covariate_says_it_all(panel):
    frame = panel[panel["unique_id"] == "a"].assign(load=lambda f: 3 * f["temp"] + 50)
    model = fk.TabularForecaster(regressor=LinearRegression(), anchor="none", **SIZES, **ROLES).fit(frame)
    rows = frame.tail(6).assign(ds=lambda f: f["ds"] + pd.Timedelta("6h"))
    np.testing.assert_allclose(model.predict(rows)["load"], 3 * rows["temp"] + 50, rtol=1e-3)


def test_boosted_trees_learn_the_season():
    series = pd.Series(wave(500), pd.date_range("2024-01-01", periods=500, freq="h"))
    model = fk.TabularForecaster(horizon=24, lookback=72).fit(series[:-24])
    assert model.scores_["skill_seasonal_naive"] > 0.1
    assert np.abs(model.predict() - series[-24:]).mean() < 0.5


def test_parameters_of_the_regressor_are_reached():
    model = fk.TabularForecaster(regressor=HistGradientBoostingRegressor(max_iter=3), **SIZES)
    assert clone(model).set_params(regressor__max_iter=5).get_params()["regressor__max_iter"] == 5
    search = GridSearchCV(model, {"regressor__max_iter": [1, 8], "lags": [3]}, cv=TimeSeriesSplit(2, test_size=20))
    X = np.random.default_rng(0).normal(size=(150, 1))
    search.fit(X, wave(150) + 9 * X[:, 0])
    assert search.best_params_["regressor__max_iter"] == 8
    assert search.best_estimator_.regressor_.n_iter_ == 8


def test_fits_are_repeatable_and_leave_the_regressor_alone(hourly):
    for given in (HistGradientBoostingRegressor(max_iter=5), make_pipeline(StandardScaler(), Ridge(solver="sag"))):
        before = repr(given)
        one, other = (fk.TabularForecaster(regressor=given, max_rows=500, **SIZES).fit(hourly) for _ in range(2))
        pd.testing.assert_frame_equal(one.predict(), other.predict(), check_exact=True)
        assert repr(given) == before
        assert not hasattr(given, "n_features_in_")
        assert one.regressor_.n_features_in_ == len(one.feature_names_) == len(set(one.feature_names_))


def test_seeds_that_were_given_stay():
    model = fk.TabularForecaster(regressor=HistGradientBoostingRegressor(random_state=7, max_iter=1), **SIZES)
    assert model.fit(wave(80)).regressor_.random_state == 7


def test_all_rows_teach_in_the_end_and_newer_ones_too():
    model = fk.TabularForecaster(regressor=Spy(), lags=[1, 30], validation_size=40, **SIZES).fit(wave(120))
    assert [name for name in model.feature_names_ if name.startswith("lag")] == ["lag_1", "lag_30"]
    assert len(model.regressor_.y_) == (120 - 30 - 6 + 1) * 6
    model.partial_fit(wave(10))
    assert len(model.regressor_.y_) == (130 - 30 - 6 + 1) * 6


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("regressor", "trees"),
        ("regressor", Ridge),
        ("regressor", StandardScaler()),
        ("regressor", fk.LinearForecaster()),
        ("anchor", "lst"),
        ("lags", 0),
        ("lags", [1, "2"]),
        ("max_rows", 0),
    ],
)
def test_refusals(parameter, value):
    with pytest.raises(fk.InputError, match=f"TabularForecaster: {parameter} must be"):
        fk.TabularForecaster(**{parameter: value}, **SIZES).fit(wave(80))


def test_too_few_values_are_refused_and_an_extreme_one_is_left_out():
    with pytest.raises(fk.InputError, match="a series must have at least horizon"):
        fk.TabularForecaster(horizon=2, lookback=3).fit(np.r_[[np.nan] * 2, 1.0, [np.nan] * 20])
    with pytest.raises(fk.InputError, match=r"must have an observed target, got none\. Pass a smaller"):
        fk.TabularForecaster(horizon=1).fit(np.r_[[np.nan] * 40, np.arange(5.0)])
    extreme = np.append(10 + np.sin(np.arange(60.0)), 3e39)
    with pytest.warns(UserWarning, match="treated as missing"):
        forecast = fk.TabularForecaster(horizon=2, lookback=3).fit(extreme).predict()
    assert (np.abs(forecast - 10) < 2).all()


def test_rows_count_as_much_as_their_targets():
    y = np.arange(90.0)
    model = fk.TabularForecaster(regressor=Spy(), anchor="none", **SIZES)
    assert model.fit(np.ones((90, 1)), y).regressor_.weight_ is None
    weight = np.where(y < 60, 1.0, 3.0)
    spy = model.fit(np.ones((90, 1)), y, sample_weight=weight).regressor_
    late = spy.y_ > (59.5 - y[:72].mean()) / y[:72].std()
    np.testing.assert_allclose(spy.weight_, np.where(late, 3.0, 1.0) / weight.mean(), rtol=1e-5)


def test_the_clock():
    timestamps = pd.DatetimeIndex(["2024-01-01 13:30", "2024-12-31 00:00"])
    half_hours = TimeGrid("fixed", 1_800_000_000)
    assert calendar_column_names(half_hours) == ("hour", "weekday", "day_of_year")
    got = calendar_columns(half_hours, half_hours.ordinals(timestamps)[0], calendar_column_names(half_hours))
    np.testing.assert_array_equal(got, [[13.5, 0, 1], [0, 1, 366]])
    monthly = TimeGrid("month", period="M")
    assert calendar_column_names(monthly) == ("month",)
    np.testing.assert_array_equal(calendar_columns(monthly, np.array([0, 11, 12]), ("month",)), [[1], [12], [1]])
    kinds = [TimeGrid("position"), TimeGrid("month", 12), TimeGrid("business"), TimeGrid("fixed", 7 * 86_400_000_000)]
    assert [calendar_column_names(grid) for grid in kinds] == [(), (), ("weekday", "day_of_year"), ("day_of_year",)]
