"""What predict, forecast, update, future_frame and score give back, by the drift forecaster whose answers are known."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from conftest import wave
from sklearn.exceptions import NotFittedError

import forecastkit as fk
from forecastkit import InputError
from forecastkit.utils.exceptions import ParameterError

ROWS = 60
LINE = np.arange(ROWS, dtype=float)
TIMES = pd.date_range("2024-01-01", periods=ROWS, freq="h", name="when")
NEXT = pd.date_range(TIMES[-1], periods=9, freq="h", name="when")[1:]
LONG = pd.DataFrame({"unique_id": np.repeat(["b", "a"], ROWS), "ds": np.tile(TIMES, 2), "y": [*LINE, *(LINE + 1000)]})
X = pd.DataFrame({"k": 0.0}, index=TIMES)
AHEAD = pd.DataFrame({"k": 0.0}, index=NEXT)
BOUNDS = ["forecast", "lower", "upper"]


def drift(*args, horizon=3, **kwargs):
    """Continues every line exactly: row i of the future is ROWS + i."""
    return fk.DriftForecaster(horizon=horizon, **kwargs).fit(*args)


# ---------------------------------------------------------------------------------------------- X alone at fit


def test_arrays_give_arrays():
    assert drift(LINE).predict().tolist() == [60, 61, 62]
    assert drift(np.stack([LINE, -LINE], axis=1)).predict().tolist() == [[60, -60], [61, -61], [62, -62]]
    assert drift(LINE[:, None]).predict().shape == (3, 1)


def test_series_and_frames_give_the_same_with_the_future_index():
    got = drift(pd.Series(LINE, index=TIMES, name="load")).predict()
    pd.testing.assert_series_equal(got, pd.Series([60.0, 61, 62], index=NEXT[:3], name="load"), check_freq=False)
    got = drift(pd.DataFrame({"load": LINE, 5: -LINE}, index=TIMES)).predict()
    expected = pd.DataFrame({"load": [60.0, 61, 62], 5: [-60.0, -61, -62]}, index=NEXT[:3])
    pd.testing.assert_frame_equal(got, expected, check_freq=False)
    assert drift(pd.DataFrame({"load": LINE})).predict().index.tolist() == [60, 61, 62]
    periods = pd.Series(LINE, index=pd.period_range("2020-01", periods=ROWS, freq="M"))
    assert drift(periods).predict().index.equals(pd.period_range("2025-01", periods=3, freq="M"))


@pytest.mark.parametrize("to", [pl.from_pandas, lambda frame: pa.Table.from_pandas(frame, preserve_index=False)])
def test_other_libraries_get_their_own_kind(to):
    wide = to(pd.DataFrame({"when": TIMES, "load": LINE, "gas": -LINE}))
    model = drift(wide)
    for got, names in (
        (model.predict(), ["when", "load", "gas"]),
        (model.predict(coverage=0.8), ["when", *(f"{t}_{b}" for t in ("load", "gas") for b in BOUNDS)]),
        (model.forecast(quantile_levels=[0.5]), ["when", "target", "cutoff", "step", "forecast", "q0.5"]),
        (drift(to(LONG)).predict(), ["unique_id", "ds", "y"]),
        (drift(to(LONG)).future_frame(), ["unique_id", "ds"]),
        (drift(to(pd.DataFrame({"load": LINE}))).predict(), ["load"]),
    ):
        assert type(got) is type(wide)
        assert list(got.columns if isinstance(got, pl.DataFrame) else got.column_names) == names


def test_a_polars_series_gives_one():
    got = drift(pl.Series("load", LINE)).predict()
    assert isinstance(got, pl.Series)
    assert (got.name, got.to_list()) == ("load", [60, 61, 62])


@pytest.mark.parametrize(
    "keys", [[], ["ds"], ["unique_id"], ["unique_id", "ds"]], ids=["columns", "times", "names", "both"]
)
def test_panels_give_long_frames_with_keys_where_they_were(keys):
    data = LONG.set_index(keys) if keys else LONG
    model = drift(data)
    got = model.predict()
    assert list(got.index.names) == (keys or [None])
    assert list(got.columns) == [c for c in ("unique_id", "ds", "y") if c not in keys]
    flat = got.reset_index() if keys else got
    assert flat["y"].tolist() == [60, 61, 62, 1060, 1061, 1062]
    assert flat["unique_id"].tolist() == ["b"] * 3 + ["a"] * 3
    assert flat["ds"].tolist() == NEXT[:3].tolist() * 2
    assert model.predict(model.future_frame()).equals(got)


def test_several_targets_have_pairs_of_names():
    model = drift(pd.DataFrame({"load": LINE, "gas": -LINE}, index=TIMES))
    got = model.predict(quantile_levels=[0.1, 0.9])
    assert got.columns.tolist() == [("load", "q0.1"), ("load", "q0.9"), ("gas", "q0.1"), ("gas", "q0.9")]
    two = drift(LONG.assign(z=1.0 * np.arange(2 * ROWS))).predict(coverage=0.5)
    assert two.columns.tolist()[:3] == [("unique_id", ""), ("ds", ""), ("y", "forecast")]


# ---------------------------------------------------------------------------------------------- X and y at fit


@pytest.mark.filterwarnings("ignore:DriftForecaster. .* before the last row to forecast have no row")
@pytest.mark.parametrize("y", [LINE, pd.Series(LINE, index=TIMES), LINE.tolist()])
def test_one_value_per_row_in_the_order_of_x(y):
    model = drift(X, y)
    assert model.predict(AHEAD[:3]).tolist() == [60, 61, 62]
    assert model.predict(AHEAD.iloc[[2, 0, 1]]).tolist() == [62, 60, 61]
    assert model.predict(AHEAD.iloc[[5]]).tolist() == [65], "a later row alone is rolled to"
    assert model.predict(AHEAD).tolist() == list(range(60, 68)), "more rows than the horizon are rolled forward"


def test_two_targets_give_two_columns():
    model = drift(X, pd.DataFrame({"p": LINE, "q": -LINE}, index=TIMES))
    assert model.predict(AHEAD[:2]).tolist() == [[60, -60], [61, -61]]
    assert model.predict(AHEAD[:2], coverage=0.5).columns.tolist() == [(t, b) for t in "pq" for b in BOUNDS]


def test_rows_of_the_history_are_fitted_one_step_ahead():
    model = drift(X, LINE)
    fitted = model.predict(X)
    assert np.isfinite(fitted).all(), "padded, never missing"
    np.testing.assert_allclose(fitted[2:], LINE[2:])
    assert fitted[1] == 0, "one value was known"
    both = pd.concat([AHEAD[:2], X[-3:]])
    assert model.predict(both).tolist() == [60, 61, 57, 58, 59]
    assert model.predict(X[-3:], coverage=0.8).shape == (3, 3)


def test_arrays_always_follow_the_history():
    model = drift(X.to_numpy(), LINE)
    assert model.predict(X.to_numpy()[:4]).tolist() == [60, 61, 62, 63]
    model = drift(X.to_numpy(), pd.Series(LINE, index=TIMES))
    assert model.predict(AHEAD[:2].to_numpy()).tolist() == [60, 61]


def test_rows_of_some_series_in_any_order():
    keys = LONG[["unique_id", "ds"]].assign(k=0.0)
    model = drift(keys, LONG["y"])
    rows = pd.DataFrame({"unique_id": ["a", "b", "a"], "ds": NEXT[[1, 0, 0]], "k": 0.0})
    assert model.predict(rows).tolist() == [1061, 60, 1060]
    assert model.predict(rows[1:2]).tolist() == [60]
    assert model.predict(rows, coverage=0.5).index.tolist() == [0, 1, 2]
    alone = drift(LONG).predict(rows[["unique_id", "ds"]])
    assert alone["y"].tolist() == [1061, 60, 1060]


def test_trailing_missing_targets_are_the_future():
    y = LINE.copy()
    y[-3:] = np.nan
    model = drift(X, y)
    assert model.cutoff_ == TIMES[-4]
    assert model.predict().tolist() == [57, 58, 59]
    assert model.predict(X[-3:]).tolist() == [57, 58, 59]


def test_known_covariates_must_reach_over_the_horizon():
    model = drift(X, LINE)
    with pytest.raises(InputError, match="covariates k are needed from 2024-01-03 12:00:00 to 2024-01-03 14"):
        model.predict()
    assert model.predict(model.future_frame().fillna(0.0)).tolist() == [60, 61, 62]


def test_targets_and_past_in_rows_to_forecast_are_ignored():
    frame = pd.DataFrame({"load": LINE, "wind": wave(ROWS)}, index=TIMES)
    model = fk.LinearForecaster(horizon=3, lookback=6, target="load", past="wind").fit(frame)
    plain = model.predict(pd.DataFrame(index=NEXT[:3]))
    odd = pd.DataFrame({"load": np.inf, "wind": "no number"}, index=NEXT[:3])
    pd.testing.assert_frame_equal(model.predict(odd), plain)


# ---------------------------------------------------------------------------------------------- history, update


def test_the_history_of_another_unnamed_series_has_moments_of_its_own():
    """A series 1,000 times as large and moved is forecast as the one fitted on, times 1,000 and moved."""
    dated = pd.Series(wave(120), index=pd.date_range("2024-01-01", periods=120, freq="h"))
    model = fk.LinearForecaster(horizon=3, lookback=12, recipes=1).fit(dated)
    other = dated[::-1].set_axis(dated.index)
    large = 1_000 * other + 5e6
    for level in (0.1, 0.5, 0.9):
        one, two = (model.predict(history=given, quantile_levels=[level]).to_numpy() for given in (other, large))
        np.testing.assert_allclose((two - 5e6) / 1_000, one, rtol=1e-4)
    unnamed = fk.LinearForecaster(horizon=3, lookback=12, recipes=1).fit(dated.to_numpy())
    np.testing.assert_allclose(
        unnamed.predict(history=large.to_numpy(), coverage=0.8), model.predict(history=large, coverage=0.8)
    )


@pytest.mark.parametrize("part", [slice(60, 120), slice(0, 120), slice(0, 60)])
def test_the_history_of_the_same_series_keeps_its_scale(part):
    dated = pd.Series(np.where(np.arange(120) < 60, 1, 5) * wave(120), index=pd.date_range("2024-01-01", periods=120))
    model = fk.LinearForecaster(horizon=3, lookback=12, recipes=1).fit(dated)
    newer = pd.Series(np.ones(5), index=pd.date_range("2024-04-30", periods=5))
    for history in (dated[part], pd.concat([dated[part], newer]) if part.stop == 120 else dated[part]):
        panel = model._read_history(history)
        panel, ready = model._ready(panel, history)
        assert panel.ids == (None,)
        assert ready is model
    following = dated[-5:].set_axis(pd.date_range("2024-04-30", periods=5))
    assert model._ready(model._read_history(following), following)[1] is model
    rows = fk.LinearForecaster(horizon=3, lookback=12).fit(dated.to_numpy())
    given = dated.to_numpy()[-20:]
    assert rows._ready(rows._read_history(given), given)[1] is rows


def test_another_history():
    model = drift(LONG)
    other = LONG.assign(unique_id=LONG["unique_id"].map({"a": "z", "b": "b"}), y=LONG["y"] * 2)
    got = model.predict(history=other)
    assert got["unique_id"].tolist() == ["b"] * 3 + ["z"] * 3
    assert got["y"].tolist() == [120, 122, 124, 2120, 2122, 2124]
    assert np.isfinite(model.predict(history=other, coverage=0.8)[["lower", "upper"]]).all(axis=None)
    assert model.predict()["y"].tolist() == [60, 61, 62, 1060, 1061, 1062]
    assert drift(LINE).predict(history=LINE[:10]).tolist() == [10, 11, 12]
    assert drift(X, LINE).predict(AHEAD[:1], history=(X, LINE + 5)).tolist() == [65]


def test_times_of_a_history_may_be_a_column_of_the_name_of_the_index():
    times = pd.date_range("2024-01-01", periods=60, freq="D", name="day")
    rows = pd.DataFrame({"load": wave(60, season=7)}, index=times)
    model = fk.SeasonalNaiveForecaster(horizon=3, season_length=7).fit(rows[:40])
    expected = model.forecast(history=rows)
    pd.testing.assert_frame_equal(model.forecast(history=rows.reset_index()), expected)
    model.update(rows[40:].reset_index())
    pd.testing.assert_frame_equal(model.forecast(), expected)


def test_a_history_needs_y_and_values():
    with pytest.raises(ParameterError, match=r"needs history=\(X, y\)"):
        drift(X, LINE).predict(AHEAD, history=X)
    with pytest.raises(InputError, match="an observed target"):
        drift(LINE).predict(history=LINE * np.nan)


def test_update_adds_and_counts_what_it_replaces():
    model = drift(pd.Series(LINE, index=TIMES))
    newer = pd.Series([58.0, 59, 60, 61], index=[*TIMES[-2:], *NEXT[:2]])
    assert model.update(newer) is model
    assert (model.n_replaced_, model.cutoff_) == (2, NEXT[1])
    assert model.predict().tolist() == [62, 63, 64]
    assert drift(LINE).update([60.0, 61.0]).predict().tolist() == [62, 63, 64]
    assert drift(X, LINE).update(AHEAD[:1], [60.0]).predict(AHEAD[1:3]).tolist() == [61, 62]
    assert not hasattr(model.fit(LINE), "n_replaced_"), "fit starts afresh"


def test_update_meets_new_series():
    model = drift(LONG)
    model.update(LONG.assign(unique_id="new" + LONG["unique_id"], y=-LONG["y"]))
    assert model.predict()["y"].tolist()[-3:] == [-1060, -1061, -1062]
    assert list(model.cutoff_.index) == ["b", "a", "newb", "newa"]


# ---------------------------------------------------------------------------------------------- the long frame


def test_the_long_frame_has_the_users_names_in_order():
    frame = drift(LONG.rename(columns={"unique_id": "shop", "ds": "tag"}), series_id="shop", time="tag").forecast()
    assert list(frame.columns) == ["shop", "tag", "cutoff", "step", "forecast", "q0.1", "q0.5", "q0.9"]
    assert frame["step"].tolist() == [1, 2, 3] * 2
    assert set(frame["cutoff"]) == {TIMES[-1]}
    assert frame["forecast"].tolist() == [60, 61, 62, 1060, 1061, 1062]
    wide = drift(pd.DataFrame({"a": LINE, "b": LINE}, index=TIMES)).forecast(quantile_levels=[0.25])
    assert list(wide.columns) == ["when", "target", "cutoff", "step", "forecast", "q0.25"]
    assert wide["target"].tolist() == ["a"] * 3 + ["b"] * 3
    assert list(drift(LINE, quantile_levels=[0.2, 0.8]).forecast().columns)[-2:] == ["q0.2", "q0.8"]
    assert list(drift(LINE).forecast(quantile_levels=[]).columns) == ["time", "cutoff", "step", "forecast"]


def test_future_frames():
    model = drift(X, LINE)
    assert model.future_frame(2).index.equals(NEXT[:2])
    assert list(model.future_frame().columns) == ["k"]
    assert drift(X.to_numpy(), LINE).future_frame().index.tolist() == [60, 61, 62]
    assert drift(X.reset_index(), LINE).future_frame()["when"].tolist() == NEXT[:3].tolist()


def test_scores():
    model = drift(X, LINE)
    assert model.score(AHEAD, np.arange(60.0, 68)) == 1
    assert model.score(AHEAD, [60, np.nan, 62, 63, 64, 65, 66, 67]) == 1
    assert model.score(AHEAD[:3], [60, 61, 100], sample_weight=[1, 1, 0]) == 1
    alone = drift(pd.Series(LINE[:50], index=TIMES[:50]))
    assert alone.score(pd.Series(LINE[50:], index=TIMES[50:])) == pytest.approx(1)
    early, late = LONG[LONG["ds"] < TIMES[50]], LONG[LONG["ds"] >= TIMES[50]]
    assert drift(early).score(late.sample(frac=1, random_state=0)) == pytest.approx(1)


def test_cutoffs():
    assert drift(LINE).cutoff_ == 59
    assert drift(pd.Series(LINE, index=TIMES)).cutoff_ == TIMES[-1]
    ragged = LONG.iloc[:-5]
    pd.testing.assert_series_equal(
        drift(ragged).cutoff_, pd.Series([TIMES[-1], TIMES[-6]], index=["b", "a"], name="ds"), check_dtype=False
    )


# ---------------------------------------------------------------------------------------------- quantiles


def test_quantiles_rise_and_cover():
    rng = np.random.default_rng(0)
    model = fk.MeanForecaster(horizon=3, validation_size=1000).fit(rng.normal(size=2000))
    got = model.predict(quantile_levels=[0.05, 0.1, 0.5, 0.9, 0.95]).to_numpy()
    assert (np.diff(got, axis=1) > 0).all()
    np.testing.assert_allclose(got[:, [1, 3]], [[-1.28, 1.28]] * 3, atol=0.15)
    bounds = model.predict(coverage=0.8)
    assert list(bounds.columns) == BOUNDS
    np.testing.assert_allclose(bounds[["lower", "upper"]], got[:, [1, 3]])


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"coverage": 0.8, "quantile_levels": [0.5]}, "either quantile_levels or coverage"),
        ({"coverage": 80}, "coverage must be a number"),
        ({"quantile_levels": [0.9, 0.1]}, "quantile_levels must be strictly increasing"),
        ({"quantile_levels": [0.0001]}, "must lie between the outermost known ones"),
    ],
)
def test_levels_that_cannot_be_given(asked, sentence):
    with pytest.raises(ParameterError, match=sentence):
        drift(LINE).predict(**asked)


def test_quantiles_end_with_the_horizon():
    with pytest.raises(ParameterError, match="quantiles reach 3 steps, the horizon, got 8 steps"):
        drift(X, LINE).predict(AHEAD, coverage=0.8)


# ---------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("method", ["predict", "forecast", "future_frame", "cutoff_"])
def test_nothing_is_forecast_before_fit(method):
    model = fk.DriftForecaster()
    with pytest.raises((NotFittedError, AttributeError)):
        getattr(model, method)()


def test_a_refused_fit_leaves_the_model_as_it_was():
    model = drift(LINE)
    before = model.predict()
    with pytest.raises(InputError):
        model.fit(LINE[:2])
    np.testing.assert_array_equal(model.predict(), before)
    never = fk.DriftForecaster(horizon=3)
    with pytest.raises(InputError):
        never.fit(LINE[:2])
    with pytest.raises(NotFittedError):
        never.predict()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: drift(LINE, horizon=0), "horizon must be a whole number of at least 1, got 0"),
        (lambda: drift(LINE, horizon=-3), "got -3"),
        (lambda: drift(LINE, horizon=True), "got True"),
        (lambda: drift(LINE, lookback=2.5), "lookback must be a whole number"),
        (lambda: drift(LINE, validation_size=1.5), "validation_size must be a number in"),
        (lambda: drift(LINE[:4]), r"at least horizon \+ 2 = 5 rows, got 4 rows"),
        (lambda: drift(LINE * np.nan), "an observed target, got none in the data"),
        (lambda: drift(np.stack([LINE, LINE * np.nan], axis=1)), "got none in 'y1'"),
        (lambda: drift(LONG.assign(y=LONG["y"].where(LONG["unique_id"] == "b"))), "got none in 'a'"),
        (lambda: drift(LONG).predict(pd.DataFrame({"unique_id": ["c"], "ds": NEXT[:1]})), "history, got none for 'c'"),
        (lambda: drift(X, LINE).predict(X.shift(-9, freq="h")), "must not lie before the history"),
        (lambda: drift(LINE).predict(5), "X must be rows to forecast, got 5. Pass until= or horizon="),
        (lambda: drift(LINE).predict(coverage=[0.5, 0.9]), r"coverage must be one number, got \[0.5, 0.9\]"),
        (lambda: drift(X, LINE).predict(AHEAD.rename(columns={"k": "q"})), "got none named 'k' among 'q'"),
    ],
)
def test_refused(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()


def test_a_long_lookback_is_shortened_and_said():
    with pytest.warns(UserWarning, match="20 rows leave 17 for the lookback beside a horizon of 3; lookback 50"):
        assert drift(LINE[:20], lookback=50).lookback_ == 17
