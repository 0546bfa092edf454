"""Folds in time order: whatever the rows look like, training ends before the test, for all series at once."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import TimeSeriesSplit, cross_val_score

import forecastkit as fk


def folds(splitter, X, *rest, **options):
    return [(train.tolist(), test.tolist()) for train, test in splitter.split(X, *rest, **options)]


def test_by_hand():
    assert folds(fk.RollingOrigin(2, 3, gap=1, stride=1), np.zeros(7)) == [
        ([0, 1], [3, 4]),
        ([0, 1, 2], [4, 5]),
        ([0, 1, 2, 3], [5, 6]),
    ]


def test_the_latest_training_steps_only():
    ((train, test),) = folds(fk.RollingOrigin(2, 1, max_train_size=3), np.zeros(9))
    assert (train, test) == ([4, 5, 6], [7, 8])


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 3), st.integers(30, 50))
def test_without_times_it_says_what_scikit_learn_says(horizon, windows, gap, rows):
    ours = folds(fk.RollingOrigin(horizon, windows, gap=gap), np.zeros((rows, 1)))
    theirs = TimeSeriesSplit(max(windows, 2), test_size=horizon, gap=gap).split(np.zeros((rows, 1)))
    assert ours == [(train.tolist(), test.tolist()) for train, test in theirs][-windows:]


def long_panel(rows=20):
    """Three series of different lengths, two ending together and one earlier, rows shuffled."""
    times = pd.date_range("2024-01-01", periods=rows, freq="D")
    parts = {"a": times, "b": times[5:], "c": times[:-3]}
    frame = pd.concat([pd.DataFrame({"unique_id": name, "ds": part}) for name, part in parts.items()])
    return frame.sample(frac=1, random_state=0)


@pytest.mark.parametrize("form", ["column", "index", "y", "level"])
def test_a_fold_cuts_all_series_at_the_same_time(form):
    panel = long_panel()
    times, y, splitter = panel["ds"].to_numpy(), None, fk.RollingOrigin(4, 2, gap=1)
    X = panel
    if form == "column":
        splitter.time = "ds"
    elif form == "index":
        X = panel.set_index("ds")
    elif form == "y":
        X, y = np.zeros((len(panel), 1)), pd.Series(0.0, index=pd.DatetimeIndex(panel["ds"]))
    else:
        X = panel.set_index(["unique_id", "ds"])
    found = list(splitter.split(X, y))
    assert len(found) == splitter.get_n_splits() == 2
    for train, test in found:
        assert times[train].max() + np.timedelta64(2, "D") == times[test].min()
        assert len(np.unique(times[test])) == 4
        inside = (times >= times[test].min()) & (times <= times[test].max())
        assert set(test) == set(np.flatnonzero(inside))
        assert set(train) == set(np.flatnonzero(times <= times[train].max()))
    assert times[found[-1][1]].max() == times.max()


def test_series_without_times_end_together():
    groups = np.array(["a", "b", "a", "a", "b", "a"])
    assert folds(fk.RollingOrigin(1, 2), np.zeros(6), groups=groups) == [([0, 2], [1, 3]), ([0, 1, 2, 3], [4, 5])]


@pytest.mark.parametrize(
    ("options", "rows", "says"),
    [
        ({"horizon": 0}, 9, "horizon must be a whole number of at least 1"),
        ({"gap": -1}, 9, "gap must be"),
        ({"stride": 0}, 9, "stride must be"),
        ({"n_windows": 5}, 10, "5 folds of 2 steps need at least 11 steps, got 10"),
        ({"time": "when"}, 9, "time= must name a column or an index level of X, got 'when'"),
    ],
)
def test_refusals(options, rows, says):
    with pytest.raises(fk.InputError, match=says):
        next(fk.RollingOrigin(**{"horizon": 2, "n_windows": 1, **options}).split(pd.DataFrame({"x": np.zeros(rows)})))


def test_groups_of_another_length_and_rows_without_times_are_refused():
    with pytest.raises(fk.InputError, match="each of the 9 rows, got 2"):
        next(fk.RollingOrigin(2, 1).split(np.zeros(9), groups=[1, 2]))
    frame = pd.DataFrame({"ds": [*pd.date_range("2024-01-01", periods=8), pd.NaT]})
    with pytest.raises(fk.InputError, match="every row must have a time, got 1 without"):
        next(fk.RollingOrigin(2, 1, time="ds").split(frame))


def test_scikit_learn_takes_it():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 2))
    scores = cross_val_score(fk.LinearForecaster(horizon=4, lookback=8), X, X @ [1.0, 2.0], cv=fk.RollingOrigin(4, 3))
    assert scores.shape == (3,)
    assert (scores > 0.9).all()
    assert repr(fk.RollingOrigin(4, 3)).startswith("RollingOrigin(")
