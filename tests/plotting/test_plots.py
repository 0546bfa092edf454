"""Pictures: what is drawn, what is said, what is written, and that nothing global is touched."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib import colors, image
from matplotlib.collections import PolyCollection

import forecastkit as fk
from forecastkit.plotting.forecasts import BLUE, INK, ORANGE, plot_backtest, plot_comparison, plot_forecast
from forecastkit.utils.exceptions import InputError

HORIZON = 6


def values(times):
    return pd.DataFrame({"time": times, "actual": 1000 + 100 * np.sin(np.arange(len(times)))})


def forecasts(history, start):
    """A made-up forecast of the rows from `start` on, with two ranges."""
    rows = history.iloc[start : start + HORIZON]
    frame = pd.DataFrame({"time": rows.time, "cutoff": history.time.iloc[start - 1], "step": range(1, HORIZON + 1)})
    frame = frame.assign(forecast=rows.actual + 10, actual=rows.actual)
    return frame.assign(
        **{f"q{level:g}": frame.forecast + 100 * (level - 0.5) for level in (0.1, 0.25, 0.5, 0.75, 0.9)}
    )


def texts(figure):
    return [text.get_text() for text in figure.findobj(match=lambda artist: hasattr(artist, "get_text"))]


def bands(axes):
    return [artist for artist in axes.collections if isinstance(artist, PolyCollection)]


def lines(axes, colour):
    return [line for line in axes.lines if colors.same_color(line.get_color(), colour)]


@pytest.fixture
def history():
    return values(pd.date_range("2024-01-01", periods=60, freq="D"))


@pytest.fixture
def panel(history):
    """Three series under the user's own names: history and forecasts."""
    history = history.rename(columns={"time": "day"})
    parts = [(history.assign(site=site, actual=history.actual * i)) for i, site in enumerate(("b", "a", "c"), 1)]
    made = [forecasts(part.rename(columns={"day": "time"}), 54).assign(site=part.site.iloc[0]) for part in parts]
    made = pd.concat(made).rename(columns={"time": "day"})
    return pd.concat(parts), made[["site", *made.columns.drop("site")]]


# The library's own results --------------------------------------------------------------------------------------------


def test_results_of_the_library_and_the_data_fitted_on_are_drawn():
    days = pd.date_range("2024-01-01", periods=120, name="day")
    wide = pd.DataFrame({"north": np.sin(np.arange(120.0)), "south": np.cos(np.arange(120.0))}, index=days)
    one = wide["north"]
    model = fk.LinearForecaster(horizon=5).fit(one)
    frame = model.forecast()
    for history in (one, one.rename_axis(None), one.reset_index(), one.to_frame()):
        (axes,) = plot_forecast(frame, history).axes
        past = lines(axes, INK)[0]
        assert past.get_xdata()[-1] == np.datetime64(days[-1])
        assert past.get_ydata()[-1] == one.iloc[-1]
    assert len(plot_forecast(frame).axes) == 1
    both = fk.LinearForecaster(horizon=5).fit(wide)
    _, second = plot_forecast(both.forecast(), wide).axes
    assert lines(second, INK)[0].get_ydata()[-1] == wide["south"].iloc[-1]
    ends = fk.LinearForecaster(horizon=5).fit(one.to_numpy()).forecast()
    assert lines(plot_forecast(ends, one.to_numpy()).axes[0], INK)[0].get_xdata()[-1] == 119
    test = fk.backtest(model.__class__(horizon=5), one, n_windows=10, quantile_levels=[0.1, 0.9])
    _, lower = plot_backtest(test).axes
    assert len(lines(lower, ORANGE)) == 1, "the seasonal naive of the backtest"


def test_a_panel_and_a_comparison_are_drawn_as_they_are():
    days = pd.date_range("2024-01-01", periods=60)
    long = pd.DataFrame({"shop": np.repeat(["a", "b"], 60), "day": np.tile(days, 2), "sales": np.arange(120.0)})
    model = fk.NaiveForecaster(horizon=3, series_id="shop", time="day", target="sales").fit(long)
    for history in (long, long.set_index(["shop", "day"])):
        figure = plot_forecast(model.forecast(), history)
        assert [axes.get_title(loc="left") for axes in figure.axes] == ["a", "b"]
        assert [lines(axes, INK)[0].get_ydata()[-1] for axes in figure.axes] == [59, 119]
    found = fk.compare(["drift", "naive"], long, horizon=3, memory=False, series_id="shop", time="day", target="sales")
    assert len(plot_comparison(found).axes) == 2


def test_what_is_no_forecast_frame_is_refused_with_a_remedy():
    model = fk.NaiveForecaster(horizon=3).fit(np.arange(40.0))
    with pytest.raises(
        InputError, match=r"plot_forecast needs a long forecast frame .* Pass the result of forecast\(\)"
    ):
        plot_forecast(model.predict(coverage=0.8))
    with pytest.raises(InputError, match="plot_backtest needs a long forecast frame, got ndarray"):
        plot_backtest(model.predict())


# One series -----------------------------------------------------------------------------------------------------------


def test_one_series(history):
    figure = plot_forecast(forecasts(history, 54), history)
    (axes,) = figure.axes
    past, forecast = lines(axes, INK)[0], lines(axes, BLUE)[0]
    assert len(past.get_xdata()) == 4 * HORIZON
    assert past.get_xdata()[-1] == np.datetime64("2024-02-23")
    assert len(forecast.get_xdata()) == HORIZON + 1, "the forecast starts at the last observed value"
    assert forecast.get_ydata()[0] == past.get_ydata()[-1]
    assert [band.get_label() for band in bands(axes)] == ["80 % interval", "50 % interval"]
    assert {"Forecast", "6 steps after 2024-02-23", "history", "forecast", "80 % interval", "50 % interval"} <= set(
        texts(figure)
    )


def test_labels_at_the_end_do_not_touch(history):
    frame = forecasts(history, 54)
    flat = frame.assign(**{f"q{level:g}": frame.forecast for level in (0.1, 0.25, 0.75, 0.9)})
    figure = plot_forecast(flat, history)
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts if "interval" in text.get_text()]
    assert len(boxes) == 2
    assert not boxes[0].overlaps(boxes[1])


def test_lower_and_upper_are_a_range(history):
    frame = forecasts(history, 54)[["time", "cutoff", "step", "forecast", "q0.1", "q0.9"]]
    figure = plot_forecast(frame.rename(columns={"q0.1": "lower", "q0.9": "upper"}), history)
    assert [band.get_label() for band in bands(figure.axes[0])] == ["interval"]


def test_without_history_and_ranges(history):
    figure = plot_forecast(forecasts(history, 54)[["time", "cutoff", "step", "forecast"]], title="Load of 5 $ and $x_{")
    figure.canvas.draw()
    assert not bands(figure.axes[0])
    assert "history" not in texts(figure)
    assert "Load of 5 $ and $x_{" in texts(figure)


@pytest.mark.parametrize(
    "times",
    [
        range(60),
        pd.date_range("2024-03-30", periods=60, freq="h", tz="Europe/Berlin"),
        pd.period_range("2020-01", periods=60, freq="M"),
    ],
    ids=["integers", "zones", "periods"],
)
def test_kinds_of_time(times):
    history = values(times)
    plot_forecast(forecasts(history, 54), history).canvas.draw()


def test_missing_values_break_the_line_and_lone_values_are_dots(history):
    history.loc[[45, 47, 53], "actual"] = np.nan
    figure = plot_forecast(forecasts(history, 54), history)
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [line.get_xdata().tolist() for line in dots] == [[history.time[46].to_datetime64().item()]]
    assert len(lines(figure.axes[0], BLUE)[0].get_xdata()) == HORIZON, "nothing observed at the cutoff to start from"


def test_the_last_cutoff_counts(history):
    figure = plot_forecast(pd.concat([forecasts(history, 54), forecasts(history, 40)]), history)
    assert "6 steps after 2024-02-23" in texts(figure)


def test_numbers_have_thousands_separators(history):
    figure = plot_forecast(forecasts(history, 54), history.assign(actual=history.actual * 1e6))
    figure.canvas.draw()
    assert "1,000,000,000" in [label.get_text() for label in figure.axes[0].get_yticklabels()]


# Several series -------------------------------------------------------------------------------------------------------


def test_a_panel_for_each_series_in_order(panel):
    history, frame = panel
    figure = plot_forecast(frame, history, max_series=2)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["b", "a"]
    assert "and 1 more" in texts(figure)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        *("history", "actual", "80 % interval", "50 % interval", "forecast")
    ]
    assert lines(figure.axes[1], INK)[0].get_ydata()[0] > lines(figure.axes[0], INK)[0].get_ydata()[0]


def test_chosen_series_and_target(panel):
    history, frame = (table.assign(target="load") for table in panel)
    figure = plot_forecast(frame, history, series="a", target="load")
    assert "Forecast: a, load" in texts(figure)
    three = plot_forecast(frame, series=["a", "b", "c"], title="Sites")
    assert len(three.axes) == 3
    assert "Sites" in texts(three)


# Backtests ------------------------------------------------------------------------------------------------------------


def test_backtest(history):
    frame = pd.concat([forecasts(history, start) for start in range(20, 55)])
    baseline = frame.assign(forecast=frame.actual + 20)
    upper, lower = plot_backtest(frame, baseline, title="Days").axes
    assert len(bands(upper)) == 4, "one band for each of the last cutoffs"
    starts = [line.get_xdata()[0] for line in lines(upper, BLUE)]
    assert (np.diff(starts) >= np.timedelta64(HORIZON, "D")).all()
    actual = lines(upper, INK)[0].get_xdata()
    assert len(actual) == 5 * HORIZON
    assert len(np.unique(actual)) == len(actual)
    assert lines(lower, BLUE)[0].get_ydata() == pytest.approx(np.full(HORIZON, 10))
    assert lines(lower, ORANGE)[0].get_ydata() == pytest.approx(np.full(HORIZON, 20))
    said = texts(upper.figure)
    assert "mean absolute error by step, in all 50 % less than seasonal naive" in said
    assert {"Days", "the last 4 of 35 cutoffs, 6 steps"} <= set(said)


def test_backtest_without_baseline_or_room_for_windows(history, tmp_path):
    figure = plot_backtest(forecasts(history, 54), path=tmp_path / "backtest.png")
    assert "mean absolute error by step" in texts(figure)
    assert (tmp_path / "backtest.png").exists()


# Files and refusals ---------------------------------------------------------------------------------------------------


def test_picture_is_written_whole(history, tmp_path):
    path = tmp_path / "forecast.png"
    path.write_text("old")
    plot_forecast(forecasts(history, 54), history, path=path)
    assert image.imread(path).shape[:2] == (700, 1400)
    assert [file.name for file in tmp_path.iterdir()] == ["forecast.png"]


@pytest.mark.parametrize("name", ["absent/forecast.png", "file/forecast.png", "folder.png"])
def test_bad_path_is_refused(history, tmp_path, name):
    (tmp_path / "file").touch()
    (tmp_path / "folder.png").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match=f"plot: path must be writable, got '.*{name}'"):
        plot_forecast(forecasts(history, 54), path=tmp_path / name)
    assert sorted(tmp_path.rglob("*")) == before


def test_refusals(history, panel, tmp_path):
    frame = forecasts(history, 54)
    with pytest.raises(InputError, match=r"path must end in an image format such as \.png.*forecast\.txt"):
        plot_forecast(frame, path=tmp_path / "forecast.txt")
    with pytest.raises(InputError, match="columns drawn must exist, got 'actual'"):
        plot_backtest(frame.drop(columns="actual"))
    with pytest.raises(InputError, match="columns of the second frame must exist, got 'actual'"):
        plot_forecast(frame, history.rename(columns={"actual": "value"}).assign(other=1.0))
    with pytest.raises(InputError, match="frame must have rows, got none"):
        plot_forecast(frame.iloc[:0])
    with pytest.raises(InputError, match="chosen site must exist, got 'z'"):
        plot_forecast(panel[1], series="z")
    with pytest.raises(InputError, match="a series or target chosen by name must have a column, got 'a'"):
        plot_forecast(frame, series="a")
    with pytest.raises(InputError, match="times in 'time' must be dates or numbers"):
        plot_forecast(frame.astype({"time": str, "cutoff": str}))


def test_no_global_state(tmp_path):
    script = """
import sys, matplotlib, pandas as pd
settings = matplotlib.rcParams.copy()
from forecastkit.plotting.forecasts import plot_forecast
assert "matplotlib.figure" not in sys.modules
plot_forecast(pd.DataFrame({"time": [1, 2], "cutoff": 0, "step": [1, 2], "forecast": [1.0, 2.0]}), path=sys.argv[1])
assert "matplotlib.pyplot" not in sys.modules
assert matplotlib.rcParams.copy() == settings
"""
    subprocess.run([sys.executable, "-W", "error", "-c", script, str(tmp_path / "forecast.png")], check=True)
