"""Tables by group and coverage of backtests, against loops and figures worked by hand."""

import numpy as np
import pandas as pd
import pytest
from conftest import make_panel, wave

import forecastkit as fk
from forecastkit import InputError, metrics
from forecastkit.evaluation.results import COVERED, coverage_table, covered_levels
from forecastkit.metrics import elementwise
from forecastkit.utils.formatting import coverage_text

LEVELS = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95]
KEYS = {"series": ["unique_id", "target"], "step": ["step"], "cutoff": ["cutoff"]}


def two_targets() -> pd.DataFrame:
    panel = make_panel(series=("a", "b"))
    return panel[["unique_id", "ds", "load", "wind"]].assign(wind=lambda frame: frame["wind"] + 5)


@pytest.fixture(scope="module")
def data():
    return two_targets()


@pytest.fixture(scope="module")
def result(data):
    model = fk.LinearForecaster(horizon=4, lookback=12, season_length=24)
    return fk.backtest(model, data, n_windows=12, stride=3, quantile_levels=LEVELS)


def naive_of(data, row):
    """The value a day before, by a look-up."""
    series = data[data["unique_id"] == row["unique_id"]].set_index("ds")[row["target"]]
    return series[row["ds"] - pd.Timedelta("24h")]


def scales_of(data, forecasts, key):
    """MASE and RMSSE scales of one series and target, from the rows up to its first cutoff."""
    own = data[data["unique_id"] == key[0]].set_index("ds")[key[1]].asfreq("h")
    cutoffs = forecasts.loc[(forecasts["unique_id"] == key[0]) & (forecasts["target"] == key[1]), "cutoff"]
    past = own[: cutoffs.min()].to_numpy()
    return metrics.seasonal_scale(past, 24), metrics.seasonal_scale_squared(past, 24)


@pytest.mark.parametrize("by", ["series", "step", "cutoff", ["target", "step"]])
def test_tables_by_group_are_what_loops_say(data, result, by):
    table = result.by(by)
    frame = result.forecasts.assign(naive=[naive_of(data, row) for _, row in result.forecasts.iterrows()])
    keys = by if isinstance(by, list) else KEYS[by]
    assert list(table.index.names) == keys
    series = [key for key, _ in frame.groupby(["unique_id", "target"])]
    scales = {key: scales_of(data, frame, key) for key in series}
    for key, group in frame.groupby(keys):
        row, y, f = table.loc[key if len(keys) > 1 else key[0]], group["actual"], group["forecast"]
        own = np.array([scales[pair] for pair in zip(group["unique_id"], group["target"], strict=True)])
        assert row["rows"] == len(group)
        assert row["mae"] == pytest.approx(metrics.mae(y, f))
        assert row["mase"] == pytest.approx(metrics.mase(y, f, own[:, 0]), rel=1e-6)
        assert row["rmsse"] == pytest.approx(metrics.rmsse(y, f, own[:, 1]), rel=1e-6)
        assert row["skill"] == pytest.approx(1 - metrics.mae(y, f) / metrics.mae(y, group["naive"]), rel=1e-5)
        assert row["wql"] == pytest.approx(metrics.wql(y, group[[f"q{level:g}" for level in LEVELS]], LEVELS))
        assert row["crps"] == pytest.approx(
            metrics.crps_quantiles(y, group[[f"q{level:g}" for level in LEVELS]], LEVELS)
        )
        assert row["coverage_0.8"] == metrics.coverage(y, group["q0.1"], group["q0.9"])


@pytest.mark.parametrize("form", ["wide", "long"])
def test_series_told_apart_by_one_column_have_scales_of_their_own(form):
    index = pd.date_range("2024-01-01", periods=120, freq="h", name="ds")
    wide = pd.DataFrame({"a": wave(120), "b": 100 * wave(120, 1)}, index=index)
    data = wide if form == "wide" else wide.melt(ignore_index=False, var_name="unique_id", value_name="y").reset_index()
    table = fk.backtest(fk.NaiveForecaster(horizon=4), data, n_windows=1).by("series")
    for name in wide:
        past, actual = wide[name].iloc[:-4].to_numpy(), wide[name].iloc[-4:]
        scale = metrics.seasonal_scale(past, 24)
        assert table.loc[name, "mase"] == pytest.approx(np.abs(actual - past[-1]).mean() / scale, rel=1e-6)


def test_groups_add_up_to_the_scores(result):
    whole, steps = result.scores.loc["forecaster"], result.by("step", ["rows", "mae"])
    assert list(steps) == ["rows", "mae"]
    assert np.average(steps["mae"], weights=steps["rows"]) == pytest.approx(whole["mae"])
    assert {"wql", "crps", "rmsse", "winkler_0.8"} <= set(whole.index)
    pd.testing.assert_series_equal(result.by("step", "mae")["mae"], steps["mae"])


def test_a_log_score_by_step():
    model = fk.GRUForecaster(horizon=3, lookback=8, loss="gaussian", units=4, epochs=1, random_state=0)
    result = fk.backtest(model, wave(120), n_windows=5)
    steps = result.by("step", ["rows", "log_score"])
    assert np.average(steps["log_score"], weights=steps["rows"]) == pytest.approx(
        result.scores.loc["forecaster", "log_score"]
    )


@pytest.mark.parametrize(
    ("keys", "chosen", "sentence"),
    [
        ("stepp", None, "the columns scored must exist, got 'stepp'. Did you mean 'step'"),
        ("step", "maee", "metrics must exist, got 'maee'. Did you mean 'mae'"),
        ("series", None, "'series' needs several series or targets, got one"),
    ],
)
def test_refused(keys, chosen, sentence):
    result = fk.backtest(fk.NaiveForecaster(horizon=2), wave(60), n_windows=2)
    with pytest.raises(InputError, match=sentence):
        result.by(keys, chosen)


# Coverage -------------------------------------------------------------------------------------------------------------


def test_coverage_by_hand():
    # Four rows at two cutoffs; the 80 % interval holds three of them, the 50 % one only the first.
    frame = pd.DataFrame({"actual": [5.0, 7.0, 9.0, 20.0, np.nan]})
    frame = frame.assign(**{"q0.1": 0.0, "q0.25": 4.0, "q0.75": 6.0, "q0.9": 10.0})
    table = coverage_table(frame, np.array([0, 0, 10, 10, 10]), horizon=2)
    assert table.index.tolist() == [0.5, 0.8]
    assert table["rows"].tolist() == [4, 4]
    assert table["share"].tolist() == [0.25, 0.75]
    np.testing.assert_allclose(table["binomial_error"], np.sqrt([0.25 * 0.75 / 4] * 2))
    # Sums of deviations by block: (0.75 - 0.25, -0.25 - 0.25) and (0.25 + 0.25, 0.25 - 0.75): half each, n of 4.
    np.testing.assert_allclose(table["block_error"], [np.sqrt(2 * (0.25 + 0.25)) / 4] * 2)


def test_rows_that_err_together_have_a_larger_error():
    rng, horizon, cutoffs = np.random.default_rng(0), 10, 400
    shares, blocks, binomials = [], [], []
    for _ in range(150):
        noise = rng.normal(size=cutoffs + horizon - 1)
        moving = np.lib.stride_tricks.sliding_window_view(noise, horizon).mean(axis=1) * np.sqrt(horizon)
        frame = pd.DataFrame({"actual": moving, "q0.1": -1.2816, "q0.9": 1.2816})
        row = coverage_table(frame, np.arange(cutoffs), horizon).loc[0.8]
        shares.append(row["share"])
        blocks.append(row["block_error"])
        binomials.append(row["binomial_error"])
    assert np.mean(shares) == pytest.approx(0.8, abs=0.01)
    assert np.mean(blocks) == pytest.approx(np.std(shares), rel=0.2)
    assert np.mean(binomials) < 0.6 * np.std(shares)


def test_nothing_covered():
    plain = fk.backtest(fk.NaiveForecaster(horizon=2), wave(60), n_windows=2)
    assert len(plain.coverage) == 0
    assert coverage_text(plain.ranges()) == ""
    blank = pd.DataFrame({"actual": [np.nan], "q0.1": [0.0], "q0.9": [1.0]})
    assert coverage_text(coverage_table(blank, np.zeros(1, dtype=int), 2).reset_index().to_dict("records")) == ""


def test_what_a_report_says():
    """An error of 0 is not shown: it is what both estimates give where all actuals are inside."""
    rows = [
        {"interval": 0.5, "share": 0.48, "rows": 100, "binomial_error": 0.05, "block_error": 0.071},
        {"interval": 0.95, "share": 0.9, "rows": 100, "binomial_error": 0.03, "block_error": 0.01},
    ]
    assert (
        coverage_text(rows) == "50 %: 48 ± 7.1 %, 95 %: 90 ± 3.0 % (errors: binomial, or by blocks of time if larger)"
    )
    whole = {"interval": 0.99, "share": 1.0, "rows": 100, "binomial_error": 0.0, "block_error": 0.0}
    assert coverage_text([*rows[1:], whole]).startswith("95 %: 90 ± 3.0 %, 99 %: 100 % (errors")
    assert coverage_text([whole]) == "99 %: 100 %"


def test_an_error_within_one_block_is_not_known():
    """Overlapping windows of one stretch of time are no 100,000 independent ones."""
    row = {"share": 0.42, "rows": 100_000, "binomial_error": 0.002}
    rows = [{"interval": 0.5, "block_error": missing, **row} for missing in (None, np.nan)]
    assert coverage_text(rows) == "50 %: 42 %, 50 %: 42 % (error not known: all windows lie in one block of time)"
    test = fk.backtest(fk.NaiveForecaster(horizon=12), wave(120), n_windows=5, quantile_levels=[0.1, 0.9])
    assert "±" not in coverage_text(test.ranges())


def test_levels_are_those_that_the_model_reaches():
    assert covered_levels(fk.LinearForecaster()) == (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
    assert covered_levels(fk.GRUForecaster(quantile_levels=[0.1, 0.5, 0.9])) == (0.1, 0.25, 0.5, 0.75, 0.9)
    assert covered_levels(fk.GRUForecaster(quantile_levels=[0.4, 0.6])) is None
    assert len(COVERED) == 4


def test_weights_of_levels_share_out_the_unit_interval():
    np.testing.assert_allclose(elementwise.level_weights([0.1, 0.5, 0.9]), [0.3, 0.4, 0.3])
    np.testing.assert_allclose(elementwise.level_weights([0.3]), [1.0])
