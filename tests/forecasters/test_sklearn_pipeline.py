"""Forecasters in scikit-learn's own objects, as these are."""

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.inspection import permutation_importance
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    TimeSeriesSplit,
    cross_val_score,
    cross_validate,
    learning_curve,
    train_test_split,
)
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import forecastkit as fk

HORIZON, ROWS = 6, 150
TIMES = pd.date_range("2024-01-01", periods=ROWS + HORIZON, freq="h", name="when")
RNG = np.random.default_rng(0)
X = pd.DataFrame({"k": RNG.normal(size=len(TIMES)), "noise": RNG.normal(size=len(TIMES))}, index=TIMES)
Y = pd.Series(3 * X["k"] + np.sin(TIMES.hour * np.pi / 12) + 5, index=TIMES, name="load")[:ROWS]
PAST, AHEAD = X[:ROWS], X[ROWS:]
SIZES = {"horizon": HORIZON, "lookback": 12}
FOLDS = TimeSeriesSplit(2, test_size=HORIZON)


def gru(**options):
    """A network that trains in a second."""
    few = {"patch": 6, "units": 8, "epochs": 1, "windows_per_epoch": 64, "batch_size": 32, "random_state": 0}
    return fk.GRUForecaster(**{**SIZES, **few, **options})


def linear(**options):
    return fk.LinearForecaster(**{**SIZES, **options})


@pytest.fixture(scope="module")
def fitted():
    """A pipeline that hands arrays on, with a network at its end."""
    return make_pipeline(StandardScaler(), gru()).fit(PAST, Y)


@pytest.fixture(scope="module")
def forecast(fitted):
    return fitted.predict(AHEAD)


# ---------------------------------------------------------------------------------------------- pipelines


def test_a_pipeline_gives_one_value_per_row_and_finds_times_in_y(fitted, forecast):
    assert (forecast.shape, forecast.dtype) == ((HORIZON,), np.float64)
    assert np.corrcoef(forecast, AHEAD["k"])[0, 1] > 0.9
    assert fitted[-1].cutoff_ == TIMES[ROWS - 1]
    assert fitted[-1].history_.grid.name == "hourly"


def test_intervals_and_quantiles_pass_through(fitted, forecast):
    bounds = fitted.predict(AHEAD, coverage=0.8)
    assert list(bounds.columns) == ["forecast", "lower", "upper"]
    assert ((bounds["lower"] < forecast) & (forecast < bounds["upper"])).all()
    levels = fitted.predict(AHEAD, quantile_levels=[0.1, 0.9])
    np.testing.assert_allclose(levels, bounds[["lower", "upper"]], rtol=1e-9)


def test_names_and_times_survive_where_asked_for():
    pipe = make_pipeline(StandardScaler(), linear()).set_output(transform="pandas").fit(PAST, Y.to_numpy())
    assert pipe[-1].cutoff_ == TIMES[ROWS - 1]
    assert list(pipe[-1].feature_names_in_) == list(X.columns)
    np.testing.assert_array_equal(pipe.predict(AHEAD[::-1]), pipe.predict(AHEAD)[::-1])


@pytest.mark.parametrize("options", [{"time": "when"}, {"series_id": "site"}, {"known": "k"}, {"static": "size"}])
def test_a_lost_column_says_how_to_keep_it(options):
    pipe = make_pipeline(StandardScaler(), linear(**options))
    with pytest.raises(fk.InputError, match=r"must be a column of X, got an array.*set_output\(transform='pandas'\)"):
        pipe.fit(PAST.reset_index(drop=True), Y.to_numpy())


def test_an_array_cannot_name_the_series_of_a_panel():
    panel = pd.concat([PAST.assign(unique_id=name, load=Y) for name in "ab"]).reset_index()
    model = linear(time="when").fit(panel.drop(columns="load"), panel["load"])
    with pytest.raises(fk.InputError, match=r"'unique_id', 'when' must be a column of X.*set_output"):
        model.predict(np.zeros((HORIZON, 2)))


def test_columns_and_features_side_by_side():
    columns = ColumnTransformer([("scaled", StandardScaler(), ["k"]), ("as it is", "passthrough", ["noise"])])
    both = FeatureUnion([("columns", columns), ("squares", FunctionTransformer(np.square))])
    pipe = Pipeline([("features", both), ("best", SelectKBest(f_regression, k=2)), ("model", linear())]).fit(PAST, Y)
    assert pipe["model"].n_features_in_ == 2
    assert pipe.score(AHEAD, 3 * AHEAD["k"] + np.sin(AHEAD.index.hour * np.pi / 12) + 5) > 0.9


def test_a_transformed_target():
    logs = TransformedTargetRegressor(linear(), func=np.log1p, inverse_func=np.expm1, check_inverse=False)
    got = logs.fit(PAST, Y + 20).predict(AHEAD)
    np.testing.assert_allclose(got, np.expm1(linear().fit(PAST, np.log1p(Y + 20).to_numpy()).predict(AHEAD)), rtol=1e-6)
    scaled = TransformedTargetRegressor(gru(), transformer=StandardScaler()).fit(PAST, Y)
    assert scaled.predict(AHEAD).shape == (HORIZON,)


# ---------------------------------------------------------------------------------------------- searches


@pytest.mark.parametrize(("make", "name"), [
    (linear, "linearforecaster__validation_size"), pytest.param(gru, "gruforecaster__units", marks=pytest.mark.rotated),
])  # fmt: skip
def test_a_grid_of_models_and_steps_in_two_processes(make, name):
    grid = {name: [4, 8], "standardscaler__with_mean": [True]}
    search = GridSearchCV(make_pipeline(StandardScaler(), make()), grid, cv=FOLDS, n_jobs=2, error_score="raise")
    search.fit(PAST, Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    best = make_pipeline(StandardScaler(), make()).set_params(**search.best_params_).fit(PAST, Y)
    np.testing.assert_allclose(search.predict(AHEAD), best.predict(AHEAD), rtol=1e-4)


def test_a_random_search():
    space = {"lookback": [6, 12, 18], "validation_size": [0.1, 0.2]}
    search = RandomizedSearchCV(linear(), space, n_iter=3, cv=FOLDS, random_state=0, error_score="raise").fit(PAST, Y)
    assert search.best_score_ > 0.9


@pytest.mark.filterwarnings("ignore:.*lie inside the time span")  # it scores the training rows too
def test_halving_by_epochs():
    search = HalvingGridSearchCV(
        gru(),
        {"units": [4, 8]},
        resource="epochs",
        factor=2,
        min_resources=1,
        max_resources=2,
        cv=FOLDS,
        error_score="raise",
    ).fit(PAST, Y)
    assert search.n_resources_ == [1, 2]
    assert search.best_estimator_.epochs == 2


def test_rows_inside_the_fitted_span_are_warned_of():
    """A random walk that is split at random is forecast from its neighbours, which says nothing of forecasts."""
    rng = np.random.default_rng(0)
    walk = pd.Series(np.cumsum(rng.normal(size=300)), index=pd.date_range("2022-01-01", periods=300))
    X = pd.DataFrame({"x": rng.normal(size=300)}, index=walk.index)
    seen, held_out, y, later = train_test_split(X[:-7], walk[:-7], test_size=0.1, random_state=0)
    model = fk.LinearForecaster(horizon=7).fit(seen, y)
    message = r"rows lie inside the time span that was fitted on\. .* RollingOrigin\(7\)"
    with pytest.warns(UserWarning, match=message):
        model.score(held_out, later)
    with pytest.warns(UserWarning, match=message):
        model.predict(held_out)
    model.predict(seen)  # fitted values of rows that were fitted on
    model.score(X[-7:], walk[-7:])
    shuffled = KFold(3, shuffle=True, random_state=0).split(X[1:])
    folds = [(np.append(0, train + 1), test + 1) for train, test in shuffled]  # none may lie before the first row
    with pytest.warns(UserWarning, match=message):
        cross_val_score(model, X, walk, cv=folds, error_score="raise")


def test_scores_of_folds():
    folds = fk.RollingOrigin(HORIZON, 3)
    scores = cross_val_score(linear(), X[:ROWS], Y, cv=folds, scoring="neg_mean_absolute_error", error_score="raise")
    by_hand = [
        -np.abs(linear().fit(PAST.iloc[train], Y.iloc[train]).predict(PAST.iloc[test]) - Y.iloc[test]).mean()
        for train, test in folds.split(PAST)
    ]
    np.testing.assert_allclose(scores, by_hand)
    found = cross_validate(
        linear(), PAST, Y, cv=folds, scoring=["r2", "neg_mean_absolute_error"], return_estimator=True
    )
    np.testing.assert_allclose(found["test_neg_mean_absolute_error"], by_hand)
    assert [model.cutoff_ for model in found["estimator"]] == [TIMES[train[-1]] for train, _ in folds.split(PAST)]


def test_a_panel_is_cut_at_one_time():
    panel = pd.concat([PAST.assign(unique_id=name, load=Y * size) for name, size in (("a", 1), ("b", 9))])
    y = panel.pop("load")
    scores = cross_val_score(linear(), panel, y, cv=fk.RollingOrigin(HORIZON, 2), error_score="raise")
    assert (scores > 0.9).all()


@pytest.mark.filterwarnings("ignore:.*have no row", "ignore:.*lie inside the time span")
def test_a_learning_curve():
    # The first rows of a fold are trained on, and its test rows are far from there.
    with pytest.warns(UserWarning, match="rows reach"):
        sizes, _, test = learning_curve(linear(), PAST, Y, cv=FOLDS, train_sizes=[0.5, 1.0], error_score="raise")
    assert len(sizes) == len(test) == 2
    assert (test > 0.9).all()


def test_folds_much_longer_than_the_horizon_are_worth_a_word():
    with pytest.warns(UserWarning, match=r"rows reach 30 steps ahead, the horizon is 6.*RollingOrigin\(6\)"):
        linear().fit(PAST[:120], Y[:120]).score(PAST[120:], Y[120:])


def test_what_counts():
    model = linear().fit(PAST, Y)
    truth = 3 * AHEAD["k"] + np.sin(AHEAD.index.hour * np.pi / 12) + 5
    importance = permutation_importance(model, AHEAD, truth, n_repeats=3, random_state=0).importances_mean
    assert importance[0] > 0.1 > abs(importance[1])


# ---------------------------------------------------------------------------------------------- weights of rows


@pytest.mark.parametrize("make", [linear, gru])
def test_rows_without_weight_do_not_count(make):
    spoilt, weight = Y.copy(), np.ones(ROWS)
    spoilt.iloc[40:60] -= 30 * PAST["k"].iloc[40:60]
    weight[40:60] = 0
    truth = 3 * AHEAD["k"] + np.sin(AHEAD.index.hour * np.pi / 12) + 5

    def error(model):
        return np.abs(model.predict(AHEAD, history=(PAST, Y)) - truth).mean()

    plain = error(make().fit(PAST, spoilt))
    assert error(make().fit(PAST, spoilt, sample_weight=weight)) < 0.7 * plain


@pytest.mark.parametrize("make", [linear, pytest.param(gru, marks=pytest.mark.rotated)])
def test_equal_weights_are_none(make):
    weighted = make().fit(PAST, Y, sample_weight=np.full(ROWS, 3))
    np.testing.assert_allclose(weighted.predict(AHEAD), make().fit(PAST, Y).predict(AHEAD), rtol=1e-4)
    assert not [name for name in vars(weighted) if name.startswith("_")]


def test_weights_follow_their_rows():
    weight = pd.Series(np.linspace(0, 1, ROWS), index=PAST.index)
    order = np.random.default_rng(1).permutation(ROWS)
    straight = linear().fit(PAST, Y, sample_weight=weight).predict(AHEAD)
    mixed = linear().fit(PAST.iloc[order], Y.iloc[order], sample_weight=weight.iloc[order]).predict(AHEAD)
    np.testing.assert_allclose(mixed, straight)
    assert not np.allclose(straight, linear().fit(PAST, Y).predict(AHEAD), rtol=1e-6)


def test_weights_of_targets_alone_and_of_panels():
    series = linear().fit(Y, sample_weight=np.arange(ROWS))
    array = linear().fit(Y.to_numpy(), sample_weight=np.arange(ROWS))
    np.testing.assert_allclose(series.predict(), array.predict())
    panel = pd.concat([PAST.assign(unique_id=name, load=Y) for name in "ab"]).reset_index()
    weight = np.where(panel["unique_id"] == "a", 1.0, 0.0)
    model = linear(time="when").fit(panel.drop(columns="load"), panel["load"], sample_weight=weight)
    ahead = pd.concat([AHEAD.assign(unique_id=name) for name in "ab"]).reset_index()
    first, other = np.split(model.predict(ahead), 2)
    np.testing.assert_allclose(first, other)


def test_an_ensemble_hands_weights_on():
    weight = np.linspace(0, 1, ROWS)
    both = fk.EnsembleForecaster(horizon=HORIZON, lookback=12, forecasters=[fk.LinearForecaster()])
    np.testing.assert_array_equal(
        both.fit(PAST, Y, sample_weight=weight).predict(AHEAD),
        linear().fit(PAST, Y, sample_weight=weight).predict(AHEAD),
    )


@pytest.mark.parametrize(
    ("weight", "says"),
    [
        (np.zeros(ROWS), "sample_weight: a row must have a weight that is not zero, got zero for all"),
        (np.where(np.arange(ROWS) == 3, -1.0, 1.0), "finite and at least 0, got -1 in row 3"),
        (np.where(np.arange(ROWS) < 5, np.nan, 1.0), "got nan in row 0, .* and 2 more"),
        (np.ones(ROWS - 1), "one weight for each of the 150 rows, got shape .149,."),
        (np.ones((ROWS, 2)), "one weight for each"),
        (["heavy"] * ROWS, "weights must be numbers"),
    ],
)
def test_weights_that_are_none(weight, says):
    with pytest.raises(fk.InputError, match=says):
        linear().fit(PAST, Y, sample_weight=weight)


def test_weights_where_there_are_no_targets_are_not_enough():
    holes, weight = Y.copy(), np.zeros(ROWS)
    holes.iloc[:10], weight[:10] = np.nan, 1
    with pytest.raises(fk.InputError, match="a row with a target must have a weight that is not zero"):
        linear().fit(PAST, holes, sample_weight=weight)


def test_weights_are_routed():
    weight = np.linspace(0, 1, ROWS)
    with sklearn.config_context(enable_metadata_routing=True):
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipe = make_pipeline(scaler, linear().set_fit_request(sample_weight=True))
        got = pipe.fit(PAST, Y, sample_weight=weight).predict(AHEAD)
    expected = make_pipeline(StandardScaler(), linear()).fit(PAST, Y, linearforecaster__sample_weight=weight)
    np.testing.assert_array_equal(got, expected.predict(AHEAD))


# ---------------------------------------------------------------------------------------------- copies and pages


@pytest.mark.parametrize("how", ["pickle", "deepcopy", "joblib"])
def test_copies(fitted, forecast, how, tmp_path):
    if how == "joblib":
        joblib.dump(fitted, tmp_path / "model.joblib")
        other = joblib.load(tmp_path / "model.joblib")
    else:
        other = copy.deepcopy(fitted) if how == "deepcopy" else pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(other.predict(AHEAD), forecast)


def test_a_clone_is_unfitted_and_the_same(fitted):
    other = clone(fitted)
    assert repr(other) == repr(fitted)
    assert not hasattr(other[-1], "history_")


def test_the_page_of_a_pipeline_loads_no_network(fitted):
    other = pickle.loads(pickle.dumps(fitted))
    page = other._repr_html_()
    assert "GRUForecaster" in page
    assert "lookback" in page
    assert "Panel(" not in page
    assert other[-1].network_._live is None
