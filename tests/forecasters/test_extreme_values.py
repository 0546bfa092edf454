"""Values of any size, nearly constant series and long zeros: forecasts are finite and right, or refused by name."""

import numpy as np
import pandas as pd
import pytest
from conftest import in_rotation

import forecastkit as fk
from forecastkit.networks import backbones

ROWS, HORIZON = 120, 3
WAVE = np.sin(2 * np.pi * np.arange(ROWS) / 12) + 0.1 * np.random.default_rng(0).normal(size=ROWS)
NEARLY = np.where(np.arange(ROWS) % 7 == 0, 1.0 + 1e-13, 1.0)
NOISE = np.random.default_rng(1).normal(size=ROWS)
#: Each with the interval that forecasts must lie in; their quantiles lie within three times its width about it.
SERIES = {
    "usual": (100 + 10 * WAVE, 40.0, 160.0),
    "1e-300": (WAVE * 1e-300, -4e-300, 4e-300),
    "1e-12": (5e-12 + WAVE * 1e-12, 0.0, 1e-11),
    "1e12": (WAVE * 1e12, -4e12, 4e12),
    "1e155": (WAVE * 1e155, -4e155, 4e155),
    "1e300": (3e300 + WAVE * 1e300, -2e300, 8e300),
    "constant": (np.full(ROWS, 7.0), 7.0, 7.0),
    "constant 1e300": (np.full(ROWS, 1e300), 1e300, 1e300),
    "nearly constant": (1e6 * NEARLY, 1e6 - 1e-3, 1e6 + 1e-3),
    "nearly constant 1e300": (1e300 * NEARLY, 0.99e300, 1.01e300),
    "constant 1e-12": (np.full(ROWS, 1e-12), 1e-12, 1e-12),
    "noise 1e-6 about 1e6": (1e6 + 1e-6 * NOISE, 1e6 - 1e-5, 1e6 + 1e-5),
    "noise 1 about 1e9": (1e9 + NOISE, 1e9 - 10, 1e9 + 10),
    "awake": (np.where(np.arange(ROWS) < 100, 0.0, 2.0 + WAVE), -6.0, 9.0),
    "asleep": (np.where(np.arange(ROWS) < 40, 5.0 + WAVE, 0.0), -9.0, 15.0),
    "zeros": (np.where(np.arange(ROWS) % 40 == 39, 3.0, 0.0), -6.0, 9.0),
    "all zeros": (np.zeros(ROWS), 0.0, 0.0),
}
PANEL = pd.concat(
    [pd.DataFrame({"unique_id": name, "ds": np.arange(ROWS), "y": values}) for name, (values, _, _) in SERIES.items()]
)
#: One forecaster of each kind, and one network with each kind of head and normalization: networks share the rest.
FORECASTERS = {
    **{name: (name, {}) for name in ("Naive", "SeasonalNaive", "Drift", "Mean", "Theta", "DampedTrend", "Linear")},
    **{name: (name, {}) for name in ("Tabular", "Pretrained", "GRU")},
    "Linear, rolling": ("Linear", {"calibrate": "rolling"}),
    "Ensemble": (
        "Ensemble",
        {"forecasters": [fk.LinearForecaster(), fk.PretrainedForecaster()], "calibrate": True, "weights": "backtest"},
    ),
    "quantiles": ("RNN", {"quantile_levels": [0.1, 0.5, 0.9]}),
    "gaussian": ("RNN", {"loss": "gaussian"}),
    "student_t": ("RNN", {"loss": "student_t"}),
    "standard": ("Transformer", {"normalization": "standard"}),
}


def check(model):
    """Points, quantiles and samples are numbers within bounds."""
    forecast = model.forecast(quantile_levels=[0.1, 0.5, 0.9])
    samples = model.sample(5, random_state=0)
    for name, (_, low, high) in SERIES.items():
        own = forecast[forecast["unique_id"] == name]
        quantiles = own[["q0.1", "q0.5", "q0.9"]].to_numpy()
        assert np.isfinite(quantiles).all(), name
        assert (np.diff(quantiles, axis=1) >= 0).all(), name
        points = own["forecast"].to_numpy()
        margin, width = max(1e-11 * max(abs(low), abs(high)), 1e-11), high - low
        assert ((points >= low - margin) & (points <= high + margin)).all(), (name, points)
        inside = (quantiles >= low - 3 * width - margin) & (quantiles <= high + 3 * width + margin)
        assert inside.all(), (name, quantiles)
        assert np.isfinite(samples.loc[samples["unique_id"] == name, "forecast"]).all(), name


@pytest.mark.parametrize("name", FORECASTERS)
def test_forecasts_of_extreme_series(name):
    kind, more = FORECASTERS[name]
    cls = getattr(fk, f"{kind}Forecaster")
    more = {"horizon": HORIZON, "lookback": 24, "season_length": 12, **more}
    if "units" in cls._get_param_names():
        more |= {"patch": 3, "units": 4, "epochs": 1, "windows_per_epoch": 64, "final_epochs": 0, "random_state": 0}
    check(cls(**more).fit(PANEL))


@pytest.mark.rotated
@pytest.mark.parametrize("name", backbones.class_names().values())
def test_every_network_forecasts_extreme_series(name):
    training = {"units": 4, "epochs": 1, "windows_per_epoch": 64, "final_epochs": 0, "random_state": 0}
    sizes = {"horizon": HORIZON, "lookback": 24, "season_length": 12}
    check(getattr(fk, f"{name}Forecaster")(**sizes, **training).fit(PANEL))


POSITIVE = ["poisson", "negative_binomial", "zero_inflated", "log_normal"]


@pytest.mark.parametrize("loss", in_rotation(POSITIVE, POSITIVE[1:3]))
def test_distributions_of_values_above_zero_keep_constants(loss):
    values = np.concatenate([np.full(60, 7.0), 1.0 + np.arange(60) % 5])
    frame = pd.DataFrame({"unique_id": np.repeat(["same", "other"], 60), "ds": np.tile(np.arange(60), 2), "y": values})
    parameters = {"horizon": 3, "lookback": 12, "units": 4, "epochs": 1, "windows_per_epoch": 64, "random_state": 0}
    model = fk.RNNForecaster(loss=loss, **parameters).fit(frame)
    forecast = model.forecast().query("unique_id == 'same'")["forecast"]
    np.testing.assert_allclose(forecast, 7.0, rtol=1e-12)


def test_counts_that_are_too_large_to_be_whole_are_refused():
    with pytest.raises(fk.InputError, match=r"whole numbers from 0 to 9\.0e\+15, got 1e\+300 at 5"):
        fk.GRUForecaster(loss="poisson", horizon=2).fit(np.where(np.arange(50) == 5, 1e300, 1.0))


def test_covariates_beyond_float32_are_refused():
    with pytest.raises(fk.InputError, match=r"covariate 'k' must lie within ±3\.4e\+38, got 1 beyond: row 3"):
        fk.NaiveForecaster().fit(pd.DataFrame({"k": np.where(np.arange(50) == 3, -1e300, 1.0)}), np.arange(50.0))
