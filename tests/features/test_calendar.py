"""Calendar features: bounded, cyclic, the same wherever a table starts."""

import sys

import numpy as np
import pandas as pd
import pytest
from conftest import in_rotation

import forecastkit as fk
from forecastkit.cli.parameters import parse_parameters
from forecastkit.data.time_grid import TimeGrid, find_time_grid
from forecastkit.features.calendar import calendar_names, calendar_table, requested_names
from forecastkit.utils.exceptions import InputError

NAMES = {
    "h": ("day_sin", "day_cos", "week_sin", "week_cos", "weekend"),
    "D": ("week_sin", "week_cos", "weekend"),
    "W": ("year_sin", "year_cos"),
    "MS": ("year_sin", "year_cos"),
    "YS": (),
    "B": ("week_sin", "week_cos"),
}


def grid_of(freq, **kwargs):
    index = pd.date_range("2024-01-01", periods=30, freq=freq, **kwargs)
    grid = find_time_grid(index, np.array([0]))
    return grid, int(grid.ordinals(index)[0][0]), index


@pytest.mark.parametrize("freq", NAMES)
def test_a_grid_has_the_cycles_that_a_step_does_not_jump_over(freq):
    grid, first, _ = grid_of(freq)
    assert calendar_names(grid) == NAMES[freq]
    table = calendar_table(grid, first, 500, NAMES[freq])
    assert table.shape == (500, len(NAMES[freq]))
    assert table.dtype == np.float32
    assert np.abs(table).max(initial=0) <= 1
    np.testing.assert_array_equal(table[100:], calendar_table(grid, first + 100, 400, NAMES[freq]))


def test_hours_by_hand():
    grid, first, _ = grid_of("h")
    table = calendar_table(grid, first, 24 * 7, NAMES["h"])
    np.testing.assert_allclose(table[6, :2], [1, 0], atol=1e-6)  # six in the morning is a quarter of the day
    np.testing.assert_allclose(table[:24, :2], table[24:48, :2], atol=1e-6)
    assert table[:, 4].tolist() == [0.0] * 24 * 5 + [1.0] * 24 * 2  # 2024-01-01 is a Monday


def test_the_clock_on_the_wall_counts():
    grid, first, index = grid_of("h", tz="Europe/Berlin")
    table = calendar_table(grid, first, 30, ("day_sin",))[:, 0]
    np.testing.assert_allclose(table, np.sin(2 * np.pi * index.hour / 24), atol=1e-6)


def test_periods_and_positions():
    grid = find_time_grid(pd.period_range("2024-01", periods=20, freq="M"), np.array([0]))
    assert calendar_table(grid, 0, 12, calendar_names(grid)).shape == (12, 2)
    assert calendar_names(TimeGrid("position")) == ()
    assert calendar_table(TimeGrid("position"), 0, 12, ()).shape == (12, 0)


# ---------------------------------------------------------------------------------------------- on request


def test_waves_by_season_and_by_hand():
    grid, first, _ = grid_of("h")
    names = requested_names("X", grid, None, {24: 1, 168: 2}, None)
    assert names[:2] == ("fourier:24:1:sin", "fourier:24:1:cos")
    assert len(names) == 6
    table = calendar_table(grid, first, 24, names)
    phase = 2 * np.pi * (np.arange(first, first + 24) % 24) / 24
    np.testing.assert_allclose(table[:, 0], np.sin(phase), atol=1e-6)
    np.testing.assert_allclose(table[:, 1], np.cos(phase), atol=1e-6)
    np.testing.assert_array_equal(table[5:], calendar_table(grid, first + 5, 19, names))
    assert requested_names("X", grid, None, 2, None) == requested_names("X", grid, None, {24: 2, 168: 2}, None)
    assert requested_names("X", TimeGrid("position"), None, 9, 4) == requested_names(
        "X", TimeGrid("position"), None, {4: 2}, None
    )


@pytest.mark.parametrize(("freq", "tz"), [("D", None), ("h", "Europe/Berlin"), ("B", None)])
def test_holidays_by_hand(freq, tz):
    index = pd.date_range("2024-12-20", "2025-01-04", freq=freq, tz=tz)
    grid = find_time_grid(index, np.array([0]))
    names = requested_names("X", grid, "DE-BY", None, None)
    table = calendar_table(grid, int(grid.ordinals(index)[0][0]), len(index), names)
    days = index.tz_localize(None).normalize()
    feasts = pd.to_datetime(["2024-12-25", "2024-12-26", "2025-01-01"])
    for column, after in enumerate((0, 1, -1)):
        assert table[:, column].tolist() == (days + pd.Timedelta(days=after)).isin(feasts).tolist()


def test_holidays_of_periods_and_of_far_years():
    grid = find_time_grid(pd.period_range("1600-01-01", periods=400, freq="D"), np.array([0]))
    names = requested_names("X", grid, "FR", None, None)
    assert np.isfinite(
        calendar_table(grid, int(grid.ordinals(pd.PeriodIndex(["1600-01-01"], freq="D"))[0][0]), 400, names)
    ).all()


@pytest.mark.parametrize(
    ("freq", "asked", "sentence"),
    [
        ("D", {"holidays": "XX"}, "X: holidays= must be a two-letter country code, got 'XX'. "),
        ("D", {"holidays": "US-QQ"}, "X: holidays= must have the code of a subdivision of US, got 'US-QQ'. "),
        (
            "D",
            {"holidays": 49},
            "X: holidays must be a country such as 'DE', or a country and subdivision such as 'US-CA', got 49.",
        ),
        ("MS", {"holidays": "DE"}, "X: holidays= needs times at most a day apart, got a grid monthly."),
        (None, {"holidays": "DE"}, "X: holidays= needs times at most a day apart, got a grid by row."),
        (None, {"fourier": 3}, "X: fourier= needs a season, and a grid by row has none, got 3. Pass fourier={"),
        ("D", {"fourier": 0}, "X: fourier must be a whole number of at least 1, got 0."),
        ("D", {"fourier": {7: 4}}, "X: fourier= can have at most 3 pairs in a season of 7, got 4."),
        ("D", {"fourier": {"week": 1}}, "X: a season of fourier= must be a number in [2, 1e+09], got 'week'."),
    ],
)
def test_refused(freq, asked, sentence):
    grid = grid_of(freq)[0] if freq else TimeGrid("position")
    with pytest.raises(InputError) as caught:
        requested_names("X", grid, asked.get("holidays"), asked.get("fourier"), None)
    assert str(caught.value).startswith(sentence)


def test_what_to_install_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "holidays", None)
    with pytest.raises(
        InputError, match=r"needs the package holidays, got none\. pip install 'forecastkit\[holidays\]'"
    ):
        requested_names("X", grid_of("D")[0], "DE", None, None)


def days_off(rows=900, seed=0):
    """A daily series that falls on German holidays, and a yearly wave."""
    index = pd.date_range("2022-01-01", periods=rows, freq="D")
    grid = find_time_grid(index, np.array([0]))
    off = calendar_table(grid, int(grid.ordinals(index)[0][0]), rows, ("holiday:DE:0",))[:, 0]
    noise = np.random.default_rng(seed).normal(0, 0.3, rows)
    return pd.Series(20 + 4 * np.sin(2 * np.pi * np.arange(rows) / 365.25) - 10 * off + noise, index=index), off


@pytest.mark.parametrize("name", in_rotation(["Linear", "GRU", "TFT"], ["TFT"]))
def test_forecasts_know_the_holidays_ahead(name):
    series, off = days_off()
    cut = int(np.flatnonzero(off[:730])[-1]) - 2  # Christmas is two days ahead
    sizes = {} if name == "Linear" else {"units": 8, "epochs": 1, "windows_per_epoch": 256, "random_state": 0}
    cls = getattr(fk, f"{name}Forecaster")
    model = cls(horizon=7, lookback=28, holidays="DE", fourier={365.25: 2}, **sizes).fit(series[:cut])
    got = model.predict()
    feast = off[cut : cut + 7] > 0
    assert feast.any()
    assert got[~feast].mean() - got[feast].mean() == pytest.approx(10, abs=1.5)


def test_waves_carry_the_linear_forecaster_where_its_lookback_does_not_reach():
    series, _ = days_off()
    options = {"horizon": 90, "lookback": 14, "validation_size": 0}
    errors = [
        np.abs(cls.fit(series[:730]).predict() - series[730:820]).mean()
        for cls in (fk.LinearForecaster(**options), fk.LinearForecaster(**options, fourier={365.25: 1}))
    ]
    assert errors[1] < errors[0] / 2


def test_interpretation_gives_holidays_and_waves_their_share():
    series, off = days_off(500)
    cut = int(np.flatnonzero(off[:400])[-1]) - 1
    sizes = {"horizon": 5, "lookback": 20, "patch": 5, "units": 8, "epochs": 1, "windows_per_epoch": 64}
    model = fk.GRUForecaster(**sizes, holidays="DE", fourier=1, calendar=True, random_state=0).fit(series[:cut])
    found = fk.interpret(model, tolerance=0.02)
    assert found.completeness_error <= 0.02
    assert {"calendar:holiday", "calendar:fourier", "calendar:week"} <= set(
        found.importance.astype(str).to_numpy().ravel()
    )


def test_saved_models_know_them_too(tmp_path):
    series, _ = days_off(300)
    model = fk.LinearForecaster(horizon=5, lookback=20, holidays="DE", fourier=2).fit(series)
    model.save(tmp_path / "m.forecast")
    np.testing.assert_array_equal(fk.load(tmp_path / "m.forecast").predict(), model.predict())


def test_waves_on_the_command_line():
    assert parse_parameters({"fourier": "3", "holidays": "DE"}, []) == {"fourier": 3, "holidays": "DE"}
    assert parse_parameters({"fourier": "24:3,365.25:2"}, []) == {"fourier": {24: 3, 365.25: 2}}
    with pytest.raises(InputError, match=r"--fourier: must be a number of terms, such as 3, .* got 'many'"):
        parse_parameters({"fourier": "many"}, [])
