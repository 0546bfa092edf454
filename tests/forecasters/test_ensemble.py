"""Ensembles: weights, seeds, averaged quantiles, members in processes, interruptions."""

import copy

import joblib
import numpy as np
import pytest
from conftest import make_panel, wave
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import forecastkit as fk
from forecastkit.forecasters.ensemble_members import seeded
from forecastkit.forecasters.ensemble_weights import combination_weights, shared_levels
from forecastkit.utils.exceptions import InputError, ParameterError

SIZE = {"horizon": 4, "lookback": 12}
TINY = {
    **SIZE,
    "patch": 4,
    "units": 8,
    "epochs": 2,
    "windows_per_epoch": 64,
    "batch_size": 32,
    "random_state": 0,
    "linear_path": False,
}
SERIES = wave(150)
BASELINES = [fk.NaiveForecaster(), fk.LinearForecaster(), fk.MeanForecaster()]
LEVELS = [0.1, 0.5, 0.9]


def ensemble(members, **parameters):
    return fk.EnsembleForecaster(forecasters=members, **SIZE, **parameters)


def members_of(model):
    return np.stack([member.predict() for member in model.forecasters_])


# ---------------------------------------------------------------------------------------------- weights


def test_weights_that_are_given_are_normalised():
    model = ensemble(BASELINES, weights=[1, 2, 5]).fit(SERIES)
    np.testing.assert_allclose(model.weights_, [0.125, 0.25, 0.625])
    np.testing.assert_allclose(model.predict(), np.array([0.125, 0.25, 0.625]) @ members_of(model))


@pytest.mark.parametrize(
    ("parameters", "rule"),
    [
        ({"weights": [1, 2]}, "weights must be as many as forecasters, 3, got"),
        ({"weights": [1, -1, 1]}, "weights must be None, 'backtest' or 3 numbers from 0 on"),
        ({"weights": [0, 0, 0]}, "numbers from 0 on"),
        ({"weights": [1, np.nan, 1]}, "numbers from 0 on"),
        ({"weights": ["a", 1, 1]}, "numbers from 0 on"),
        ({"weights": "backtst"}, "Did you mean 'backtest'"),
        ({"weights": [1, 1, 1], "how": "median"}, "how='median' gives all members equal weights"),
        ({"seeds": 0}, "seeds must be a whole number of at least 1, got 0"),
        ({"n_jobs": "all"}, "n_jobs must be a whole number"),
        ({"n_jobs": 0}, "n_jobs must be a whole number other than 0"),
    ],
)
def test_invalid_parameters_are_refused(parameters, rule):
    with pytest.raises(ParameterError, match=rule):
        ensemble(BASELINES, **parameters).fit(SERIES)


def test_a_backtest_finds_the_member_that_is_right():
    members = [fk.SeasonalNaiveForecaster(season_length=24), fk.MeanForecaster()]
    model = ensemble(members, weights="backtest").fit(wave(400))
    assert model.weights_[0] > 0.6
    np.testing.assert_allclose(model.weights_.sum(), 1)


def test_a_backtest_sees_no_row_after_the_training_rows():
    rows = wave(300)
    weights = [ensemble(BASELINES, weights="backtest").fit(rows[:200]).weights_ for rows in (rows, rows * 9)]
    np.testing.assert_allclose(*weights, rtol=1e-4)


def test_a_backtest_needs_a_validation_block():
    with pytest.raises(InputError, match=r"weights='backtest' needs a validation block.*validation_size"):
        ensemble(BASELINES, weights="backtest", validation_size=0).fit(SERIES)


def test_weights_from_errors_by_hand():
    # Variances 1 and 3 without correlation: halfway to equal variances of 2 they are 1.5 and 2.5.
    errors = np.array([[1.0, -1.0, 1.0, -1.0], [3**0.5, 3**0.5, -(3**0.5), -(3**0.5)]])
    np.testing.assert_allclose(combination_weights(errors, shrunk=0.0), [0.75, 0.25], atol=1e-6)
    np.testing.assert_allclose(combination_weights(errors), [0.625, 0.375], atol=1e-6)
    np.testing.assert_allclose(combination_weights(errors, shrunk=1.0), [0.5, 0.5])
    np.testing.assert_allclose(combination_weights(np.full((2, 3), np.nan)), [0.5, 0.5])


@settings(max_examples=50, deadline=None)
@given(hnp.arrays("float64", (3, 20), elements=st.floats(-5, 5, width=16)))
def test_no_other_weights_have_a_smaller_mixed_square(errors):
    found = combination_weights(errors)
    moments = errors @ errors.T / 20
    size = np.trace(moments) / 3
    mixed = 0.5 * moments + 0.5 * size * np.eye(3)
    grid = np.array([(a, b, 1 - a - b) for a in np.linspace(0, 1, 21) for b in np.linspace(0, 1 - a, 21)])
    assert (found >= 0).all()
    assert found @ mixed @ found <= np.einsum("ni,ij,nj->n", grid, mixed, grid).min() + 1e-7 * (1 + size)


# ---------------------------------------------------------------------------------------------- seeds


def test_seeds_follow_the_members_own():
    gru = fk.GRUForecaster(random_state=5)
    assert [copy_.random_state for copy_ in seeded(gru, 3)] == [5, 6, 7]
    assert [copy_.random_state for copy_ in seeded(fk.GRUForecaster(), 2)] == [None, None]
    state = np.random.RandomState(0)
    drawn = [copy_.random_state for copy_ in seeded(fk.GRUForecaster(random_state=state), 2)]
    assert drawn == state.randint(2**31 - 1, size=2).tolist(), "drawn from a copy: the user's stays as it was"
    assert len(seeded(fk.LinearForecaster(), 3)) == len(seeded(fk.TabularForecaster(), 3)) == 1


@pytest.fixture(scope="module")
def with_seeds():
    return ensemble([fk.GRUForecaster(**TINY), fk.LinearForecaster()], seeds=2).fit(SERIES)


def test_a_member_counts_the_same_however_many_seeds_it_has(with_seeds):
    np.testing.assert_allclose(with_seeds.weights_, [0.25, 0.25, 0.5])
    first, second, linear = members_of(with_seeds)
    assert not np.array_equal(first, second)
    np.testing.assert_allclose(with_seeds.predict(), (first + second + 2 * linear) / 4)
    np.testing.assert_array_equal(first, fk.GRUForecaster(**TINY).fit(SERIES).predict())


def test_a_median_is_of_members_not_of_seeds(with_seeds):
    model = copy.copy(with_seeds).set_params(how="median")
    first, second, linear = members_of(with_seeds)
    np.testing.assert_allclose(model.predict(), np.median([(first + second) / 2, linear], axis=0))


# ---------------------------------------------------------------------------------------------- quantiles


@pytest.fixture(scope="module")
def mixed():
    """A quantile network, a distribution and a point forecaster."""
    members = [
        fk.GRUForecaster(**TINY, quantile_levels=[0.05, 0.5, 0.95]),
        fk.GRUForecaster(**TINY, loss="gaussian"),
        fk.LinearForecaster(),
    ]
    return ensemble(members, weights=[1, 1, 2]).fit(SERIES)


def test_quantiles_are_averaged_level_by_level(mixed):
    parts = np.stack([member.predict(quantile_levels=LEVELS).to_numpy() for member in mixed.forecasters_])
    got = mixed.predict(quantile_levels=LEVELS).to_numpy()
    np.testing.assert_allclose(got, np.tensordot([0.25, 0.25, 0.5], parts, 1), rtol=1e-6)
    np.testing.assert_allclose(mixed.predict(), [0.25, 0.25, 0.5] @ members_of(mixed), rtol=1e-6)
    assert mixed.trained_levels_ == (0.05, 0.5, 0.95)


def test_levels_beyond_a_members_are_refused(mixed):
    with pytest.raises(ParameterError, match=r"between the outermost known ones, 0.05 and 0.95, got 0.01"):
        mixed.predict(quantile_levels=[0.01, 0.5])


def test_paths_lie_about_the_average(mixed):
    paths = mixed.sample(200, random_state=0)
    assert len(paths) == 800
    inside = paths["forecast"].to_numpy().reshape(200, 4)
    bounds = mixed.predict(quantile_levels=[0.05, 0.95]).to_numpy()
    share = ((inside >= bounds[:, 0]) & (inside <= bounds[:, 1])).mean()
    assert 0.8 < share < 1.0


@pytest.mark.parametrize("calibrate", [True, "rolling"])
def test_averaged_quantiles_are_calibrated(calibrate):
    members = [fk.GRUForecaster(**TINY, quantile_levels=[0.1, 0.5, 0.9]), fk.LinearForecaster()]
    model = ensemble(members, calibrate=calibrate).fit(wave(600))
    assert model.corrections_ is not None
    later = fk.backtest(model, wave(1200), quantile_levels=LEVELS).forecasts
    inside = later["actual"].between(later["q0.1"], later["q0.9"]).mean()
    assert 0.7 < inside < 0.9
    assert (np.diff(later[["q0.1", "q0.5", "q0.9"]]) >= 0).all()


def test_point_members_have_the_ensembles_own_residuals():
    model = ensemble(BASELINES).fit(SERIES)
    assert model.trained_levels_ is None
    parts = np.stack([member.predict(coverage=0.8).to_numpy() for member in model.forecasters_])
    wide = (parts[..., 2] - parts[..., 1]).mean(axis=0)
    own = model.predict(coverage=0.8)
    assert (own["upper"] - own["lower"] < wide).all(), "errors of an average are smaller than their average"


def test_levels_that_members_share():
    assert shared_levels("it", [None, None]) is None
    assert shared_levels("it", [(0.1, 0.5, 0.9), None, (0.2, 0.8)]) == (0.2, 0.5, 0.8)
    with pytest.raises(ParameterError, match=r"must overlap.*0.1 to 0.2, 0.5"):
        shared_levels("it", [(0.1, 0.2), (0.5,)])


def test_members_whose_levels_do_not_meet_are_refused_before_training():
    members = [fk.GRUForecaster(quantile_levels=[0.1]), fk.GRUForecaster(quantile_levels=[0.9])]
    with pytest.raises(ParameterError, match="must overlap"):
        ensemble(members).fit(SERIES)


def test_a_saved_ensemble_gives_the_same_quantiles(mixed, tmp_path):
    mixed.save(tmp_path / "mixed.forecast")
    other = fk.load(tmp_path / "mixed.forecast")
    # A loaded network is computed by NumPy: the same but for rounding.
    np.testing.assert_allclose(other.predict(coverage=0.8), mixed.predict(coverage=0.8), rtol=1e-5)
    np.testing.assert_array_equal(other.weights_, mixed.weights_)


def test_an_ensemble_in_an_ensemble(mixed):
    inner = fk.EnsembleForecaster(forecasters=[fk.GRUForecaster(**TINY, quantile_levels=LEVELS), fk.NaiveForecaster()])
    model = ensemble([inner, fk.LinearForecaster()]).fit(SERIES)
    parts = [member.predict(quantile_levels=LEVELS).to_numpy() for member in model.forecasters_]
    np.testing.assert_allclose(model.predict(quantile_levels=LEVELS), np.mean(parts, axis=0), rtol=1e-6)


def test_quantiles_of_series_that_are_new():
    members = [fk.GRUForecaster(**TINY, quantile_levels=LEVELS), fk.LinearForecaster()]
    panel = make_panel(120)[["unique_id", "ds", "load"]]
    model = fk.EnsembleForecaster(forecasters=members, **SIZE, target="load").fit(panel)
    other = panel[panel["unique_id"] == "a"].assign(unique_id="z")
    frame = model.forecast(history=other)
    assert frame["unique_id"].tolist() == ["z"] * 4
    assert (np.diff(frame[["q0.1", "q0.5", "q0.9"]]) >= 0).all()


def test_the_linear_member_is_the_reference_of_all(monkeypatch):
    members = [
        fk.GRUForecaster(**TINY),
        fk.LinearForecaster(recipes=1),
    ]  # the reference is the regression of one recipe
    alone = fk.GRUForecaster(**TINY).fit(SERIES).scores_
    monkeypatch.setattr("forecastkit.uncertainty.validation.Ridge", None)  # it is not solved a second time
    model = ensemble(members).fit(SERIES)
    assert model.forecasters_[0].scores_ == pytest.approx(alone)
    assert model.scores_["mae_linear"] == pytest.approx(model.forecasters_[1].scores_["mae"])


# ---------------------------------------------------------------------------------------------- processes


@pytest.mark.rotated  # with TensorFlow's own options, as in the other processes
def test_processes_give_the_same_bit_for_bit():
    members = [fk.GRUForecaster(**TINY, quantile_levels=LEVELS), fk.LinearForecaster(), fk.NaiveForecaster()]
    data, weight = make_panel(120)[["unique_id", "ds", "load"]], np.linspace(0.5, 1, len(make_panel(120)))
    one, other = (
        fk.EnsembleForecaster(forecasters=members, **SIZE, target="load", weights="backtest", n_jobs=n_jobs).fit(
            data, sample_weight=weight
        )
        for n_jobs in (None, 2)
    )
    np.testing.assert_array_equal(one.weights_, other.weights_)
    ours, theirs = (model.forecast() for model in (one, other))
    np.testing.assert_array_equal(ours.select_dtypes("number"), theirs.select_dtypes("number"))
    assert [type(member) for member in other.forecasters_] == [type(member) for member in members]
    assert all(member.history_ is other.history_ for member in other.forecasters_)
    assert vars(one).keys() == vars(other).keys()


def test_joblibs_own_context_counts():
    with joblib.parallel_config(backend="threading", n_jobs=2):
        model = ensemble(BASELINES).fit(SERIES)
    np.testing.assert_array_equal(model.predict(), ensemble(BASELINES).fit(SERIES).predict())


@pytest.mark.rotated
def test_refusals_cross_processes():
    members = [fk.LinearForecaster(), fk.GRUForecaster(**TINY, loss="poisson")]
    with pytest.raises(InputError, match="loss='poisson' is for whole numbers"):
        ensemble(members, n_jobs=2).fit(SERIES)


# ---------------------------------------------------------------------------------------------- interruptions


def interrupting(after):
    """A callback that is Ctrl-C in the epoch after so many."""
    import keras

    class Interrupting(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == after:
                raise KeyboardInterrupt

    return Interrupting()


@pytest.mark.parametrize(("after", "ready"), [(0, ["LinearForecaster"]), (1, ["GRUForecaster", "LinearForecaster"])])
def test_ctrl_c_leaves_an_ensemble_of_what_was_ready(after, ready):
    members = [fk.GRUForecaster(**TINY, callbacks=[interrupting(after)]), fk.LinearForecaster()]
    model = ensemble(members, weights=[3, 1])
    with pytest.raises(KeyboardInterrupt):
        model.fit(SERIES)
    assert [type(member).__name__ for member in model.forecasters_] == ready
    np.testing.assert_allclose(model.weights_, [1.0] if len(ready) == 1 else [0.75, 0.25])
    np.testing.assert_allclose(model.predict(), model.weights_ @ members_of(model), rtol=1e-6)
    assert model.predict(coverage=0.8).shape == (4, 3)
