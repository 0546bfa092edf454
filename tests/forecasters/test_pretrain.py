"""`pretrain`: a file of weights from the user's own panel."""

import random

import numpy as np
import pandas as pd
import pytest

import forecastkit as fk
from forecastkit.pretrained.weights import load_weights
from forecastkit.utils.exceptions import InputError, ParameterError

TEMPERATURES = fk.load_dataset("daily_min_temperatures")


def mean_error(model, data, windows=20):
    found = fk.backtest(model, data, n_windows=windows, stride=14).forecasts
    return (found["forecast"] - found["actual"]).abs().mean()


@pytest.mark.rotated
def test_training_from_nothing_beats_the_seasonal_naive(tmp_path):
    path = fk.pretrain(TEMPERATURES[:-280], out=tmp_path / "mine.npz", horizon=14, start=None, time_limit=15)
    model = fk.PretrainedForecaster(horizon=14, weights=path, fine_tune=False)
    assert mean_error(model, TEMPERATURES) < 0.9 * mean_error(fk.SeasonalNaiveForecaster(horizon=14), TEMPERATURES)


def test_packaged_weights_are_trained_further_and_the_best_are_kept(tmp_path):
    rng = np.random.default_rng(0)
    times = pd.date_range("2020-01-01", periods=60, freq="D")
    panel = pd.concat(
        pd.DataFrame({"shop": shop, "day": times, "sales": 20 + rng.normal(size=60).cumsum()}) for shop in range(12)
    )
    path = fk.pretrain(
        panel, out=tmp_path / "mine.npz", series_id="shop", time="day", target="sales", horizon=7, time_limit=0.5
    )
    assert path == tmp_path / "mine.npz"
    found, packaged = load_weights(path), load_weights()
    assert {name: values.shape for name, values in found.items()} == {
        name: values.shape for name, values in packaged.items()
    }
    assert not np.array_equal(found["widths/factor"], packaged["widths/factor"])
    forecast = fk.PretrainedForecaster(horizon=7, weights=path).fit(panel[panel["shop"] == 0].set_index("day")["sales"])
    assert np.isfinite(forecast.predict()).all()


def test_random_states_are_left_alone(tmp_path):
    before = random.getstate()
    fk.pretrain(TEMPERATURES[:300], out=tmp_path / "mine.npz", horizon=7, start=None, time_limit=0.001)
    assert random.getstate() == before


def test_refusals(tmp_path):
    with pytest.raises(InputError, match="more than 24 rows for horizon=20"):
        fk.pretrain(np.arange(22.0), out=tmp_path / "x.npz", horizon=20)
    with pytest.raises(ParameterError, match="budget"):
        fk.pretrain(np.arange(90.0), out=tmp_path / "x.npz", time_limit="soon")
    with pytest.raises(ParameterError, match="weights must be"):
        fk.pretrain(np.arange(90.0), out=tmp_path / "x.npz", start="1999", time_limit=1)
    with pytest.raises(ParameterError, match=r"'series'.*series_id"):
        fk.pretrain(np.arange(90.0), out=tmp_path / "x.npz", series="shop")
    assert not list(tmp_path.iterdir())
