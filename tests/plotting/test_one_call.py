"""`forecastkit.plot` and the `plot` of results: on given axes or new ones, from results and data as they are."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import colors, pyplot
from matplotlib.figure import Figure

import forecastkit as fk
from forecastkit.plotting.style import BLUE, INK, ORANGE
from forecastkit.utils.exceptions import InputError, ParameterError


@pytest.fixture(autouse=True)
def closed():
    """No figure of pyplot is left."""
    mpl.use("Agg")
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def series():
    rng = np.random.default_rng(0)
    values = 10 + 3 * np.sin(np.arange(150) * 2 * np.pi / 7) + rng.normal(0, 0.3, 150)
    return pd.Series(values, index=pd.date_range("2024-01-01", periods=150, freq="D", name="day"), name="load")


@pytest.fixture(scope="module")
def model(series):
    return fk.LinearForecaster(horizon=7).fit(series[:-7])


@pytest.fixture(scope="module")
def tested(series):
    return fk.backtest(fk.LinearForecaster(horizon=7), series, n_windows=20)


def lines(axes, colour):
    return [drawn for drawn in axes.lines if colors.same_color(drawn.get_color(), colour)]


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_a_forecaster_draws_its_history_and_its_next_forecast(model, series):
    axes = model.plot()
    np.testing.assert_allclose(lines(axes, BLUE)[0].get_ydata()[-7:], model.predict())
    np.testing.assert_allclose(lines(axes, INK)[0].get_ydata(), series[-35:-7])
    assert lines(axes, ORANGE) == []
    assert any("80 % interval" in text for text in texts(axes))
    assert axes.figure.number in pyplot.get_fignums()  # so that a notebook shows it


@pytest.mark.parametrize("form", [lambda s: s, lambda s: s.to_frame(), lambda s: s.reset_index()], ids=range(3))
def test_actuals_are_taken_as_the_user_has_them(form, model, series):
    axes = model.plot(form(series))
    np.testing.assert_allclose(lines(axes, ORANGE)[0].get_ydata(), series[-7:])
    again = fk.plot(model.forecast(), form(series), history_rows=30)
    np.testing.assert_allclose(lines(again, INK)[0].get_ydata(), series[-37:-7])


@pytest.mark.parametrize("options", [{}, {"coverage": 0.8}, {"quantile_levels": [0.1, 0.5, 0.9]}], ids=range(3))
def test_results_of_predict_are_drawn(options, model, series):
    axes = fk.plot(model.predict(**options), series)
    expected = (
        model.predict(**{**options, "quantile_levels": [0.5]})["q0.5"]
        if "quantile_levels" in options
        else model.predict()
    )
    np.testing.assert_allclose(lines(axes, BLUE)[0].get_ydata()[-7:], expected)
    np.testing.assert_allclose(lines(axes, ORANGE)[0].get_ydata(), series[-7:])
    np.testing.assert_allclose(lines(axes, INK)[0].get_ydata(), series[-35:-7])
    assert any("interval" in text for text in texts(axes)) == bool(options)


@pytest.mark.parametrize("coverage", [None, 0.8])
def test_results_of_predict_for_several_targets_are_drawn(coverage, series):
    wide = pd.DataFrame({"north": series, "south": 10 * series})
    model = fk.LinearForecaster(horizon=7).fit(wide[:-7])
    axes = fk.plot(model.predict(coverage=coverage), wide, target="south")
    np.testing.assert_allclose(lines(axes, BLUE)[0].get_ydata()[-7:], model.predict()["south"])
    np.testing.assert_allclose(lines(axes, ORANGE)[0].get_ydata(), wide["south"][-7:])


@pytest.mark.parametrize("freq", ["MS", "ME", "B"])
def test_history_ends_where_predictions_begin(freq):
    values = pd.Series(np.arange(48.0), pd.date_range("2020-01-01", periods=48, freq=freq), name="y")
    model = fk.LinearForecaster(horizon=6).fit(values[:38])
    axes = fk.plot(model.predict(), values, history_rows=5)
    np.testing.assert_allclose(lines(axes, INK)[0].get_ydata(), values[33:38])


def test_a_panel_draws_the_series_that_is_chosen(series):
    panel = pd.concat([pd.DataFrame({"site": site, "day": series.index, "load": series.to_numpy() * factor})
                       for site, factor in (("a", 1), ("b", 10))])  # fmt: skip
    model = fk.LinearForecaster(horizon=7, target="load", series_id="site", time="day").fit(panel)
    axes = model.plot(series="b")
    np.testing.assert_allclose(lines(axes, INK)[0].get_ydata(), 10 * series[-28:])
    assert axes.get_title(loc="left") == "Forecast: b"
    with pytest.raises(InputError, match="'c'"):
        model.plot(series="c")


@pytest.mark.parametrize("kind", ["windows", "steps", "residuals"])
def test_a_backtest_is_drawn_on_axes_of_the_user(kind, tested):
    figure = Figure()
    axes = figure.subplots()
    before = pyplot.get_fignums()
    assert tested.plot(kind=kind, ax=axes, title="Mine") is axes
    assert axes.get_title(loc="left") == "Mine"
    assert pyplot.get_fignums() == before


def test_a_single_window_is_called_the_last(series):
    axes = fk.backtest(fk.LinearForecaster(horizon=7), series, n_windows=3).plot()
    assert "the last of 3 cutoffs, 7 steps" in [*texts(axes), *(text.get_text() for text in axes.figure.texts)]


def test_residuals_are_those_of_the_first_step(tested):
    first = tested.forecasts.query("step == 1")
    axes = tested.plot(kind="residuals")
    errors = (first.actual - first.forecast).to_numpy()
    np.testing.assert_allclose(lines(axes, BLUE)[0].get_ydata(), errors)
    correlation = np.corrcoef(errors[:-1], errors[1:])[0, 1]
    assert f"autocorrelation {correlation:.2f}" in texts(axes)[0]


def test_the_error_by_step_is_that_of_the_table(tested):
    axes = tested.plot(kind="steps")
    np.testing.assert_allclose(lines(axes, BLUE)[0].get_ydata(), tested.by("step")["mae"])


def test_a_backtest_is_short_in_print_and_a_table_in_notebooks(tested):
    text = repr(tested)
    assert text.startswith("Backtest of 20 cutoffs, horizon 7, 140 rows\n")
    assert len(text.splitlines()) <= 5
    assert f"{tested.scores['mae'].iloc[0]:.4g}" in text
    assert "<table" in tested._repr_html_()


@pytest.mark.parametrize(("call", "error", "sentence"), [
    (lambda model, tested: fk.plot(3), InputError, "got int"),
    (lambda model, tested: fk.plot(model.predict().to_numpy()), InputError, "got ndarray. Pass the result"),
    (lambda model, tested: tested.plot(kind="errors"), ParameterError, "kind must be one of 'windows', 'steps'"),
    (lambda model, tested: model.plot(kind="steps"), ParameterError, "kind= is for backtests"),
    (lambda model, tested: model.plot(history_rows=0), ParameterError, "history_rows"),
], ids=range(5))  # fmt: skip
def test_what_cannot_be_drawn_is_refused_before_a_figure_is_made(call, error, sentence, model, tested):
    with pytest.raises(error, match=sentence):
        call(model, tested)
    assert pyplot.get_fignums() == []


def test_the_table_that_was_fitted_on_is_a_history_with_its_covariates():
    """Of several columns of numbers, the target is drawn; results of `predict` may have times in a column."""
    days = pd.date_range("2024-01-01", periods=80)
    rows = pd.concat([
        pd.DataFrame({"shop": shop, "day": days, "price": 3.0, "sales": np.arange(80) % 7 + level})
        for shop, level in (("a", 10.0), ("b", 90.0))
    ])  # fmt: skip
    columns = {"series_id": "shop", "time": "day", "target": "sales", "past": "price"}
    model = fk.LinearForecaster(horizon=5, lookback=14, **columns).fit(rows)
    history, forecast = fk.plot(model.forecast(), rows).get_lines()[:2]
    assert history.get_ydata()[-1] == rows["sales"].iloc[79]
    predicted = fk.plot(model.predict(coverage=0.8), rows[["shop", "day", "sales"]]).get_lines()[1]
    np.testing.assert_allclose(predicted.get_ydata(), forecast.get_ydata())
