"""Refits of a backtest: fresh ones on the right rows, kept in a file, told as they go."""

import json

import keras
import numpy as np
import pandas as pd
import pytest
from conftest import ROLES, SMALL, make_panel, wave
from sklearn.base import clone

import forecastkit as fk
from forecastkit import InputError
from forecastkit.forecasters.base import Forecaster
from forecastkit.utils.run_log import canonical_text, shortened

ROWS = 120
TIMES = pd.date_range("2024-01-01", periods=ROWS, freq="h", name="when")
SERIES = pd.Series(wave(ROWS), index=TIMES, name="load")
LINEAR = fk.LinearForecaster(horizon=4, lookback=12)
OPTIONS = {"start": 90, "stride": 6, "refit": True, "quantile_levels": [0.1, 0.9]}


def at(frame, cutoff):
    return frame.loc[frame["cutoff"] == cutoff, "forecast"].to_numpy()


# Which rows a fit sees ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [LINEAR, fk.MeanForecaster(horizon=4), fk.NaiveForecaster(horizon=4)])
def test_a_sliding_window_is_the_loop(model):
    got = fk.backtest(model, SERIES, start=90, stride=6, refit=True, max_train_size=60).forecasts
    for cutoff in range(89, ROWS - 4, 6):
        loop = clone(model).fit(SERIES[cutoff - 59 : cutoff + 1]).predict()
        np.testing.assert_array_equal(at(got, TIMES[cutoff]), loop)


def test_a_sliding_window_of_several_series_is_the_loop():
    data = make_panel()
    model = fk.LinearForecaster(horizon=4, lookback=12, series_id="unique_id", time="ds", **ROLES)
    got = fk.backtest(model, data, n_windows=2, stride=15, refit=True, max_train_size=100).forecasts
    for cutoff, group in got.groupby("cutoff"):
        seen = data[(data["ds"] <= cutoff) & (data["ds"] > cutoff - pd.Timedelta("100h"))]
        fitted = clone(model).fit(seen)
        row = data["ds"] > cutoff - pd.Timedelta("100h")
        known = data[row & (data["ds"] <= cutoff + pd.Timedelta("4h"))]
        ahead = known[(known["ds"] > cutoff) & known["unique_id"].isin(group["unique_id"])]
        ahead = ahead.assign(load=np.nan, wind=np.nan)
        loop = fitted.forecast(ahead).set_index(["unique_id", "ds"])["forecast"]
        own = group.set_index(["unique_id", "ds"])["forecast"]
        np.testing.assert_allclose(own, loop.reindex(own.index), rtol=1e-6)


def test_a_window_as_long_as_the_data_expands():
    wide, none = (fk.backtest(LINEAR, SERIES, **OPTIONS, max_train_size=size).forecasts for size in (ROWS, None))
    pd.testing.assert_frame_equal(wide, none)


class Counts(keras.callbacks.Callback):
    """Keeps what it saw, as callbacks of users do."""

    def __init__(self):
        super().__init__()
        self.epochs = 0

    def on_epoch_end(self, epoch, logs=None):
        self.epochs += 1


def test_networks_start_afresh_in_every_refit():
    """Weights, scales, early stopping and the user's callbacks: nothing passes from one fit to the next."""
    counts = Counts()
    own = {**SMALL, "epochs": 3, "patience": 1, "callbacks": [counts]}
    model = fk.RNNForecaster(**own)
    series = SERIES * np.linspace(1, 50, ROWS)
    got = fk.backtest(model, series, start=80, stride=30, refit=True).forecasts
    for cutoff in (109, 79):
        loop = fk.RNNForecaster(**{**own, "callbacks": None}).fit(series[: cutoff + 1]).predict()
        np.testing.assert_array_equal(at(got, TIMES[cutoff]), loop)
    assert counts.epochs == 0
    assert not hasattr(model, "network_")


def test_later_rows_change_no_refit():
    perturbed = SERIES.copy()
    perturbed.iloc[102:] *= -7
    whole, other = (fk.backtest(LINEAR, each, **OPTIONS).forecasts for each in (SERIES, perturbed))
    early = whole["cutoff"] <= TIMES[101]
    assert early.any()
    names = ["forecast", "q0.1", "q0.9"]
    pd.testing.assert_frame_equal(whole.loc[early, names], other.loc[early, names])


# Kept in a file -------------------------------------------------------------------------------------------------------


@pytest.fixture
def fits(monkeypatch):
    """Counts fits."""
    made, fit = [], Forecaster._fit_panel

    def counted(self, panel, *more):
        made.append(panel.rows)
        return fit(self, panel, *more)

    monkeypatch.setattr(Forecaster, "_fit_panel", counted)
    return made


def stopping(after, error):
    """A function for `verbose` that raises once so many fits are done."""
    lines = []

    def say(line):
        lines.append(line)
        if len(lines) == after:
            raise error

    return say


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("killed")])
def test_what_was_finished_is_kept_and_gone_on_with(tmp_path, fits, error):
    path = tmp_path / "work.jsonl"
    whole = fk.backtest(LINEAR, SERIES, **OPTIONS)
    fits.clear()
    with pytest.raises(type(error)):
        fk.backtest(LINEAR, SERIES, **OPTIONS, resume=path, verbose=stopping(2, error))
    assert len(fits) == 2
    said = []
    again = fk.backtest(LINEAR, SERIES, **OPTIONS, resume=path, verbose=said.append)
    assert len(fits) == len(said) == whole.forecasts["cutoff"].nunique()
    assert ["kept from before" in line for line in said[:3]] == [True, True, False]
    pd.testing.assert_frame_equal(again.forecasts, whole.forecasts)
    pd.testing.assert_frame_equal(again.scores, whole.scores)


def test_a_line_cut_off_by_a_kill_is_made_again(tmp_path, fits):
    path = tmp_path / "work.jsonl"
    whole = fk.backtest(LINEAR, SERIES, **OPTIONS, resume=path)
    path.write_bytes(path.read_bytes()[:-30])
    fits.clear()
    again = fk.backtest(LINEAR, SERIES, **OPTIONS, resume=path)
    assert len(fits) == 1
    pd.testing.assert_frame_equal(again.forecasts, whole.forecasts)
    assert len(path.read_text().splitlines()) == 1 + whole.forecasts["cutoff"].nunique()


def test_more_windows_take_those_that_are_there(tmp_path, fits):
    path = tmp_path / "work.jsonl"
    fk.backtest(LINEAR, SERIES, n_windows=2, stride=4, refit=True, resume=path)
    fits.clear()
    fk.backtest(LINEAR, SERIES, n_windows=3, stride=4, refit=True, gap=1, resume=path)
    assert len(fits) == 1


def test_panels_with_distributions_are_restored_to_the_last_bit(tmp_path):
    model = fk.GRUForecaster(**{**SMALL, "horizon": 3}, loss="gaussian", target=["load", "wind"])
    data = make_panel(rows=120, series=("a", "b"))[["unique_id", "ds", "load", "wind"]]
    options = {"n_windows": 2, "stride": 5, "refit": 2, "gap": 1, "resume": tmp_path / "work.jsonl"}
    one, two = (fk.backtest(model, data, quantile_levels=[0.2, 0.8], **options) for _ in range(2))
    pd.testing.assert_frame_equal(one.forecasts, two.forecasts)
    assert "log_density" in two.forecasts
    assert sorted(two.forecasts["step"].unique()) == [2, 3]


@pytest.mark.parametrize(
    ("model", "data", "options", "sentence"),
    [
        (LINEAR, SERIES + 1, {}, "must be of the same data and settings, got other data. Pass another resume="),
        (clone(LINEAR).set_params(lookback=13), SERIES, {}, "got lookback 12 there, 13 here"),
        (fk.NaiveForecaster(horizon=4), SERIES, {}, "got forecaster LinearForecaster there, NaiveForecaster here"),
        (LINEAR, SERIES, {"max_train_size": 50}, "got max_train_size None there, 50 here"),
        (LINEAR, SERIES, {"quantile_levels": [0.2]}, r"got levels \[0.1, 0.9\] there, \[0.2\] here"),
    ],
)
def test_other_data_and_parameters_are_refused(tmp_path, model, data, options, sentence):
    path = tmp_path / "work.jsonl"
    fk.backtest(LINEAR, SERIES, **OPTIONS, resume=path)
    before = path.read_text()
    with pytest.raises(InputError, match=sentence):
        fk.backtest(model, data, **{**OPTIONS, **options}, resume=path)
    assert path.read_text() == before


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "work.jsonl"
    path.write_text(json.dumps({"journal": "compare"}) + "\n")
    with pytest.raises(InputError, match="backtest: resume must be a file that backtest wrote"):
        fk.backtest(LINEAR, SERIES, **OPTIONS, resume=path)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"max_train_size": 0}, "max_train_size must be a whole number"),
        ({"max_train_size": 5, "refit": True}, "a series must have at least horizon"),
    ],
)
def test_refused(options, sentence):
    with pytest.raises(InputError, match=sentence):
        fk.backtest(LINEAR, SERIES, **options)


def test_a_fitted_forecaster_has_no_fits_to_keep(tmp_path):
    model = clone(LINEAR).fit(SERIES[:90])
    for given in ({"max_train_size": 50}, {"resume": tmp_path / "x"}):
        with pytest.raises(InputError, match="is about fits, and a fitted forecaster is used as it is"):
            fk.backtest(model, SERIES, **given)
    assert len(fk.backtest(model, SERIES, refit=2, max_train_size=50).forecasts)


# Told as they go ------------------------------------------------------------------------------------------------------


def test_progress_says_what_is_done_and_left(capsys):
    said = []
    result = fk.backtest(LINEAR, SERIES, start=100, stride=8, refit=True, verbose=said.append)
    total = result.forecasts["cutoff"].nunique()
    error = (result.forecasts["forecast"] - result.forecasts["actual"]).abs()[:4].mean()
    assert len(said) == total == 3
    assert said[0].startswith(f"1/3  cutoff {TIMES[99]}: MAE {error:.4f}  00:0")
    assert said[0].endswith("left")
    assert "left" not in said[-1]
    assert capsys.readouterr().out == ""
    fk.backtest(LINEAR, SERIES, start=100, verbose=True)
    assert capsys.readouterr().out.startswith("1/1  cutoff 2024-01-05 03:00:00: MAE ")


# What parameters are told apart by ------------------------------------------------------------------------------------


def test_equal_parameters_have_equal_texts():
    def make(units, seed):
        members = [fk.GRUForecaster(units=units), fk.LinearForecaster()]
        return fk.EnsembleForecaster(forecasters=members), np.random.RandomState(seed), np.arange(3.0), "text", None

    assert canonical_text(make(4, 0)) == canonical_text(make(4, 0))
    assert canonical_text(make(4, 0)) != canonical_text(make(5, 0))
    assert canonical_text(make(4, 0)) != canonical_text(make(4, 1))
    assert canonical_text(lambda: 0).startswith("<function")
    assert shortened("short") == "short"
    assert shortened("x" * 99 + "y") != shortened("x" * 99 + "z")
