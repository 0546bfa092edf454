"""Paths: each step as its quantiles say, and steps that hang together as errors of the past did."""

import numpy as np
import pandas as pd
import pytest
from conftest import SMALL

import forecastkit as fk
from forecastkit.uncertainty.residuals import LEVELS, MAX_PATHS, at_ranks, draw_ranks, error_ranks, widened
from forecastkit.utils.exceptions import ParameterError

NAN = np.nan


def test_ranks_by_hand():
    """Three windows of one series: at the first step 5 is the least and 9 the largest; a window with a gap has none."""
    residuals = np.array([[5.0, 1.0], [8.0, 8.0], [9.0, 0.0], [6.0, 9.0], [7.0, NAN]])
    ranks = error_ranks(residuals, np.array([0, 1, 0, 1, 0]))
    np.testing.assert_allclose(ranks, [[1 / 4, 2 / 3], [2 / 3, 1 / 3], [3 / 4, 1 / 3], [1 / 3, 2 / 3]])


def test_ranks_of_many_windows_are_thinned_and_even():
    ranks = error_ranks(np.random.default_rng(0).normal(size=(3_000, 2)), np.arange(3_000) % 3)
    assert ranks.shape == (MAX_PATHS, 2)
    assert ((ranks > 0) & (ranks < 1)).all()
    assert abs(ranks.mean() - 0.5) < 0.05


def test_without_windows_steps_are_drawn_on_their_own():
    assert error_ranks(np.full((4, 3), NAN), np.zeros(4, int)).shape == (0, 3)
    drawn = draw_ranks(np.empty((0, 3)), (2, 5_000, 3), np.random.default_rng(0))
    assert abs(np.corrcoef(drawn[0].T)[0, 1]) < 0.05


def test_values_are_read_off_between_levels():
    values = np.array([[[0.0, 10.0, 30.0], [1.0, 2.0, 3.0]]])  # one origin, two steps
    ranks = np.array([[[0.25, 0.5], [0.7, 0.05], [0.99, 0.9]]])
    expected = [[[(0.25 - 0.1) / 0.4 * 10, 2.0], [20.0, 1.0], [30.0, 3.0]]]
    np.testing.assert_allclose(at_ranks(values, (0.1, 0.5, 0.9), ranks), expected)


def test_beyond_trained_levels_quantiles_are_as_far_off_as_those_of_errors():
    errors = np.linspace(-3, 3, len(LEVELS))[None, None]
    wide = widened(np.array([[[10.0, 20.0]]]), (0.1, 0.9), errors)[0, 0]
    at = {level: place for place, level in enumerate(LEVELS)}
    assert (wide[at[0.1]], wide[at[0.9]]) == (10.0, 20.0)
    assert wide[at[0.005]] == pytest.approx(10 + errors[0, 0, 0] - errors[0, 0, at[0.1]])
    assert (np.diff(wide) > 0).all()


@pytest.fixture(scope="module")
def correlated():
    """A season and errors of which each is nine tenths of the one before, and something new."""
    rng, errors = np.random.default_rng(0), np.zeros(1_200)
    for row in range(1, 1_200):
        errors[row] = 0.9 * errors[row - 1] + rng.normal()
    return 10 + 3 * np.sin(np.arange(1_200) * 2 * np.pi / 12) + errors


SIZES = {**SMALL, "horizon": 6, "lookback": 24}
MODELS = {
    "points": fk.LinearForecaster(horizon=6, lookback=24),
    "quantiles": fk.RNNForecaster(**SIZES, quantile_levels=[0.1, 0.5, 0.9]),
    "distribution": fk.RNNForecaster(**SIZES, loss="gaussian"),
}


@pytest.mark.parametrize("kind", MODELS)
def test_paths_have_the_quantiles_of_each_step_and_hang_together(kind, correlated):
    model = MODELS[kind].fit(correlated)
    paths = model.sample(2_000, random_state=0)
    assert list(paths) == ["time", "cutoff", "step", "path", "forecast"]
    table = paths.pivot(index="path", columns="step", values="forecast").to_numpy()
    assert table.shape == (2_000, 6)
    quantiles = model.predict(quantile_levels=[0.1, 0.9]).to_numpy().T
    width = quantiles[1] - quantiles[0]
    np.testing.assert_allclose(np.quantile(table, [0.1, 0.9], axis=0) / width, quantiles / width, atol=0.25)
    assert np.corrcoef(table.T)[4, 5] > 0.6
    pd.testing.assert_frame_equal(paths, model.sample(2_000, random_state=0))
    assert not paths.equals(model.sample(2_000, random_state=1))


def test_paths_of_panels_with_covariates_and_after_loading(gru, future, tmp_path):
    paths = gru.sample(3, future, random_state=0)
    assert list(paths) == ["unique_id", "ds", "cutoff", "step", "path", "forecast"]
    assert (paths.groupby(["unique_id", "step"]).size() == 3).all()
    assert np.isfinite(paths["forecast"]).all()
    gru.save(tmp_path / "a.forecast")
    pd.testing.assert_frame_equal(fk.load(tmp_path / "a.forecast").sample(3, future, random_state=0), paths)


@pytest.mark.parametrize("levels", [None, [0.1, 0.5, 0.9]])
def test_quantiles_and_paths_keep_to_the_range_of_the_transform(levels):
    y = np.exp(np.random.default_rng(0).normal(0, 1.2, 200))
    if levels is None:
        model = fk.LinearForecaster(horizon=6, lookback=14, target_transform="log", calibrate=True)
    else:
        model = fk.RNNForecaster(**SIZES, target_transform="log", quantile_levels=levels, calibrate=True)
    model.set_params(validation_size=130).fit(y)  # 20 windows that do not overlap, as corrections need
    assert (model.sample(300, random_state=0)["forecast"] > 0).all()
    asked = [0.1, 0.5, 0.9] if levels else [0.005, 0.05, 0.5, 0.95]
    assert (model.predict(quantile_levels=asked).to_numpy() > 0).all()


def test_an_ensemble_of_transformed_members_keeps_to_their_range():
    y = np.exp(np.random.default_rng(0).normal(0, 1.2, 200))
    members = [fk.LinearForecaster(target_transform="log", lookback=lookback) for lookback in (7, 14)]
    model = fk.EnsembleForecaster(forecasters=members, horizon=4, calibrate="rolling").fit(y)
    assert (model.sample(300, random_state=0)["forecast"] > 0).all()
    assert (model.predict(quantile_levels=[0.005, 0.5, 0.995]).to_numpy() > 0).all()


def test_paths_of_counts_are_counts():
    data = np.random.default_rng(0).poisson(4, size=300).astype(float)
    paths = fk.RNNForecaster(**SIZES, loss="poisson").fit(data).sample(50)["forecast"]
    assert ((paths >= 0) & (paths % 1 == 0)).all()


def test_a_number_of_paths_that_is_none_is_refused(correlated):
    with pytest.raises(ParameterError, match="n must be a whole number of at least 1, got 0"):
        MODELS["points"].fit(correlated).sample(0)


def test_distributions_are_scored_by_their_density(correlated):
    model = fk.RNNForecaster(**SIZES, loss="gaussian", lower=-np.inf).fit(correlated[:1_100])
    result = fk.backtest(model, correlated)
    assert result.scores["log_score"].iloc[0] == pytest.approx(-result.forecasts["log_density"].mean())
    spread = fk.backtest(model, correlated, quantile_levels=[0.5, 0.8413]).forecasts
    deviation = spread["q0.8413"] - spread["q0.5"]
    error = (spread["actual"] - spread["forecast"]) / deviation
    expected = -0.5 * error**2 - np.log(deviation) - 0.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(spread["log_density"], expected, rtol=2e-3, atol=2e-3)
    assert "log_score" not in fk.backtest(fk.LinearForecaster(horizon=6), correlated, start=1_100).scores
