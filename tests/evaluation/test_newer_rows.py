"""A fitted forecaster is tested on newer rows alone: they follow the history that it keeps."""

import copy

import numpy as np
import pandas as pd
import pytest

import forecastkit as fk

ROWS = 120
FRAME = pd.concat(
    [
        pd.DataFrame(
            {
                "unique_id": name,
                "ds": pd.date_range("2024-01-01", periods=ROWS),
                "y": level + np.arange(ROWS) % 7 + np.random.default_rng(level).normal(size=ROWS),
            }
        )
        for name, level in (("a", 10), ("b", 100))
    ],
    ignore_index=True,
)
OLD, NEW = (FRAME[FRAME.groupby("unique_id").cumcount().between(*rows)] for rows in ((0, 99), (100, 200)))


@pytest.fixture(scope="module")
def fitted():
    return fk.LinearForecaster(horizon=7, lookback=21).fit(OLD)


@pytest.mark.parametrize("loaded", [False, True])
def test_newer_rows_alone_give_what_all_rows_give(fitted, tmp_path, loaded):
    if loaded:
        fitted.save(tmp_path / "m.forecast")
        fitted = fk.load(tmp_path / "m.forecast")
    alone, whole = fk.backtest(fitted, NEW).forecasts, fk.backtest(fitted, FRAME).forecasts
    assert len(alone) == 2 * 14 * 7
    pd.testing.assert_frame_equal(alone, whole)


def test_a_horizon_of_new_rows_is_one_window(fitted):
    test = fk.backtest(fitted, NEW[NEW.groupby("unique_id").cumcount() < 7])
    assert test.forecasts["cutoff"].unique().tolist() == [pd.Timestamp("2024-04-09")]
    assert test.forecasts["actual"].notna().all()


def test_a_position_counts_the_given_rows(fitted):
    first = fk.backtest(fitted, NEW, start=10, n_windows=1).forecasts
    assert first["ds"].min() == pd.Timestamp("2024-01-01") + pd.Timedelta(days=110)


STATIC = FRAME.assign(
    size=np.where(FRAME["unique_id"] == "a", 1.0, 5.0), kind=FRAME["unique_id"].map({"a": "x", "b": "z"})
)
EARLIER, BARE = STATIC.loc[OLD.index], FRAME.loc[NEW.index]
CALLS = {
    "update": lambda model, rows: model.update(rows).forecast(),
    "partial_fit": lambda model, rows: model.partial_fit(rows).forecast(),
    "history": lambda model, rows: model.forecast(history=rows),
    "backtest": lambda model, rows: fk.backtest(model, rows).forecasts,
}


@pytest.mark.parametrize("call", CALLS)
def test_static_covariates_of_known_series_need_not_be_given_again(call):
    model = fk.TabularForecaster(horizon=7, lookback=21, static=["size", "kind"], target="y").fit(EARLIER)
    given, bare = (CALLS[call](copy.deepcopy(model), rows) for rows in (STATIC.loc[NEW.index], BARE))
    pd.testing.assert_frame_equal(given, bare)
    new = BARE.assign(unique_id="new")
    sentence = r"not seen at fit must have the static columns 'size', 'kind', got none of 'new'"
    with pytest.raises(fk.InputError, match=sentence):
        CALLS[call](copy.deepcopy(model), new)
    with pytest.raises(fk.InputError, match=r"the static columns 'kind', got none of 'new'"):
        CALLS[call](copy.deepcopy(model), pd.concat([BARE, new]).assign(size=2.0))


def test_hierarchies_remember_static_covariates_too():
    rows = STATIC.assign(region="all")
    model = fk.HierarchicalForecaster(
        fk.LinearForecaster(lookback=21),
        horizon=7,
        series_id=["region", "unique_id"],
        time="ds",
        target="y",
        static="size",
    ).fit(rows.loc[OLD.index].drop(columns="kind"))
    newer = rows.loc[NEW.index].drop(columns="kind")
    given, bare = (copy.deepcopy(model).update(each).forecast() for each in (newer, newer.drop(columns="size")))
    pd.testing.assert_frame_equal(given, bare)
