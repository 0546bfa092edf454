"""Corrections of quantiles: against a slow loop, and coverage where a model errs or the world changes."""

import numpy as np
import pandas as pd
import pytest
from conftest import SMALL
from sklearn.ensemble import RandomForestRegressor

import forecastkit as fk
from forecastkit.uncertainty import conformal
from forecastkit.uncertainty.conformal import MAX_LATEST, MIN_LATEST, ConformalAdjustment
from forecastkit.utils.exceptions import ParameterError

LEVELS = (0.1, 0.5, 0.9)
SIZES = {**SMALL, "horizon": 3, "lookback": 12}


def coverage(frame):
    return ((frame["q0.1"] <= frame["actual"]) & (frame["actual"] <= frame["q0.9"])).mean()


@pytest.fixture(scope="module")
def changing():
    """Noise that is twice as loud from row 900 on."""
    rng = np.random.default_rng(0)
    loud = np.where(np.arange(2_400) < 900, 1.0, 2.0)
    return 10 + np.sin(np.arange(2_400) * 2 * np.pi / 12) + loud * rng.normal(size=2_400)


def test_rolling_corrections_follow_a_change(changing):
    fixed, rolling = (
        fk.backtest(
            fk.LinearForecaster(horizon=3, lookback=24, calibrate=calibrate),
            changing,
            start=900,
            quantile_levels=LEVELS,
        ).forecasts
        for calibrate in (True, "rolling")
    )
    later = rolling["step"].index[rolling["cutoff"] > 900 + MAX_LATEST]
    assert coverage(fixed.loc[later]) < 0.7
    assert 0.77 < coverage(rolling.loc[later]) < 0.83
    assert (rolling["q0.1"] <= rolling["q0.5"]).all()
    assert (rolling["q0.5"] <= rolling["q0.9"]).all()


@pytest.mark.parametrize("latest", [99, 500])
def test_rolling_corrections_against_a_slow_loop(latest, changing, monkeypatch):
    """At each origin: the latest errors out of the sample that were known by then; of n errors that of rank (n + 1) q.

    Those are the errors of the validation block's windows and of steps after the rows of the fit.
    """
    monkeypatch.setattr(conformal, "MAX_LATEST", latest)
    data = changing[:700]
    model = fk.NaiveForecaster(horizon=3, season_length=1, calibrate="rolling").fit(data[:500])
    found = fk.backtest(model, data, start=520, n_windows=40, quantile_levels=[0.1, 0.9]).forecasts
    for cutoff, step, low, high in found[["cutoff", "step", "q0.1", "q0.9"]].itertuples(index=False):
        origins = [row for row in range(399, 497) if row + step <= cutoff]
        origins += [row for row in range(497, cutoff) if 500 <= row + step <= cutoff]
        errors = np.sort([data[row + step] - data[row] for row in origins[-latest:]])
        for found_there, level in ((low, 0.1), (high, 0.9)):
            rank = (len(errors) + 1) * level  # read off between two errors where it is no whole number
            expected = np.interp(rank, np.arange(1, len(errors) + 1), errors)
            assert found_there == pytest.approx(data[cutoff] + expected, abs=1e-4)


def test_rolling_intervals_hold_right_after_the_fit_of_a_regressor_that_memorises():
    """Of 120 series, on the steps after the fit, before anything else is observed."""
    rng, data = np.random.default_rng(0), np.zeros((120, 184))
    for row in range(1, data.shape[1]):
        data[:, row] = 0.8 * data[:, row - 1] + rng.normal(size=len(data))
    frame = pd.DataFrame(
        {"unique_id": np.repeat(np.arange(120), 181), "ds": np.tile(np.arange(181), 120), "y": data[:, :-3].ravel()}
    )
    forest = RandomForestRegressor(5, random_state=0)
    model = fk.TabularForecaster(regressor=forest, horizon=3, lookback=4, validation_size=70, calibrate="rolling")
    found = model.fit(frame).forecast(quantile_levels=LEVELS).assign(actual=data[:, -3:].ravel())
    assert coverage(found) == pytest.approx(0.8, abs=0.05)


def test_few_windows_leave_the_corrections_of_the_validation_block():
    data = np.random.default_rng(0).normal(size=MIN_LATEST - 5)
    rolling, fixed = (
        fk.NaiveForecaster(horizon=3, season_length=1, calibrate=calibrate).fit(data).predict(quantile_levels=LEVELS)
        for calibrate in ("rolling", True)
    )
    pd.testing.assert_frame_equal(rolling, fixed)


@pytest.mark.parametrize("calibrate", [True, "rolling"])
def test_too_few_windows_for_corrections_leave_the_quantiles_and_it_is_said(calibrate, changing):
    plain, model = (
        fk.PretrainedForecaster(horizon=3, season_length=12, fine_tune=False, validation_size=57, calibrate=value)
        for value in (False, calibrate)
    )
    with pytest.warns(UserWarning, match=rf"{calibrate!r} needs 20 .* not overlap, got 19, .*not calibrated"):
        model.fit(changing[:300])
    pd.testing.assert_frame_equal(
        model.predict(quantile_levels=LEVELS), plain.fit(changing[:300]).predict(quantile_levels=LEVELS)
    )
    assert model.set_params(validation_size=70).fit(changing[:300]).corrections_ is not None


@pytest.mark.parametrize(
    "head", [{"quantile_levels": [0.1, 0.5, 0.9]}, {"loss": "gaussian"}], ids=["pinball", "normal"]
)
def test_quantiles_that_miss_are_moved_to_where_they_hold(head, changing):
    """A network of one epoch is far too sure, or far from it; corrected it covers what it says on the next rows."""
    plain = fk.RNNForecaster(**{**SIZES, "final_epochs": 0}, **head).fit(changing[:800])
    scale, before = plain.scaler_.target.scale[0, 0], plain.predict(quantile_levels=LEVELS)
    del plain  # its traced network serves the next
    model = fk.RNNForecaster(**{**SIZES, "final_epochs": 0}, **head, calibrate=True).fit(changing[:800])
    found = fk.backtest(model, changing[:900], quantile_levels=LEVELS).forecasts
    assert 0.65 < coverage(found) < 0.93
    corrections = model.corrections_
    assert isinstance(corrections, ConformalAdjustment)
    moved = model.predict(quantile_levels=LEVELS) - before
    np.testing.assert_allclose(moved, corrections.at(LEVELS, np.array([0]))[0] * scale, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("calibrate", [True, "rolling"])
def test_a_loaded_forecaster_corrects_alike(calibrate, changing, tmp_path):
    model = fk.RNNForecaster(**SIZES, quantile_levels=[0.1, 0.5, 0.9], calibrate=calibrate).fit(changing[:900])
    model.save(tmp_path / "a.forecast")
    again = fk.load(tmp_path / "a.forecast")
    assert len(again.history_.target) < 900
    pd.testing.assert_frame_equal(again.predict(quantile_levels=LEVELS), model.predict(quantile_levels=LEVELS))


def test_what_comes_after_an_origin_does_not_move_its_corrections(changing):
    perturbed = changing.copy()
    perturbed[1_000:] *= 3
    model = fk.LinearForecaster(horizon=3, lookback=24, calibrate="rolling").fit(changing[:800])
    one, other = (
        fk.backtest(model, data, start=850, quantile_levels=LEVELS)
        .forecasts.query("cutoff < 1000")
        .drop(columns="actual")
        for data in (changing, perturbed)
    )
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_a_way_to_calibrate_that_there_is_not_is_refused():
    with pytest.raises(ParameterError, match="calibrate must be one of False, True, 'rolling', got 'roling'"):
        fk.NaiveForecaster(calibrate="roling").fit(np.arange(50.0))
