"""Irregular timestamps: aggregated by slots, moved to the nearest step, or refused with a remedy."""

import re
import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import forecastkit as fk
from forecastkit.data.ingest.read_panel import read_more, read_panel
from forecastkit.utils.exceptions import InputError, ParameterError

START = pd.Timestamp("2024-01-01")
SECOND = pd.Timedelta(seconds=1)


def jittered(rows, off, freq="10min", start=START):
    """Timestamps off a regular grid by up to so many seconds."""
    shift = np.random.default_rng(0).uniform(-off, off, rows)
    return pd.date_range(start, periods=rows, freq=freq) + pd.to_timedelta(shift, unit="s").round("ms")


def frame(times, **columns):
    return pd.DataFrame({"time": times, "y": np.arange(float(len(times))), **columns})


# ------------------------------------------------------------------------------------------------------------- slots


@pytest.mark.filterwarnings("ignore:Panel. the last sum")
@settings(max_examples=25, deadline=None)
@given(
    minutes=st.lists(st.integers(0, 60 * 24 * 20), min_size=2, max_size=60, unique=True),
    rule=st.sampled_from(["mean", "sum", "first", "last", "max", "min"]),
    freq=st.sampled_from(["h", "30min", "6h", "D", "W-WED", "MS", "7h"]),
    zone=st.sampled_from([None, "Asia/Kolkata"]),
    seed=st.integers(0, 3),
)
def test_a_slot_holds_the_rows_from_its_start_up_to_the_next(minutes, rule, freq, zone, seed):
    rng = np.random.default_rng(seed)
    times = START.tz_localize(zone) + pd.to_timedelta(minutes, unit="min")
    values = np.where(rng.random(len(minutes)) < 0.2, np.nan, rng.normal(size=len(minutes)))
    given_frame = pd.DataFrame({"time": times, "y": values, "colour": rng.choice(["red", "blue"], len(minutes))})
    panel, schema = read_panel(given_frame, target="y", past=["colour"], resample=rule, freq=freq)
    starts = panel.grid.timestamps(panel.start[0] + np.arange(panel.rows + 1))
    rows = given_frame.sort_values("time")
    for slot, (start, end) in enumerate(pairwise(starts)):
        inside = rows[(rows["time"] >= start) & (rows["time"] < end)]
        expected = getattr(inside["y"].dropna(), {"first": "head", "last": "tail"}.get(rule, rule))
        expected = expected(1).sum() if rule in ("first", "last") else expected()
        if inside["y"].isna().all():
            assert np.isnan(panel.target[slot, 0])
        else:
            np.testing.assert_allclose(panel.target[slot, 0], expected, atol=1e-9)
        levels = schema.categories["colour"]
        colour = [float(level == inside["colour"].iloc[-1]) for level in levels] if len(inside) else [np.nan] * 2
        np.testing.assert_array_equal(panel.past[slot], colour[: len(levels)])


@pytest.mark.parametrize(
    ("freq", "first"),
    [
        ("h", "2024-02-14 10:00"),
        ("15min", "2024-02-14 10:30"),
        ("D", "2024-02-14"),
        ("W-MON", "2024-02-12"),
        ("W", "2024-02-11"),
        ("MS", "2024-02-01"),
        ("QS", "2024-01-01"),
        ("QS-FEB", "2024-02-01"),
        ("YS-APR", "2023-04-01"),
        ("5h", "2024-02-14 10:00"),
    ],
)
def test_slots_start_where_clock_and_calendar_do(freq, first):
    times = pd.Timestamp("2024-02-14 10:37:12") + pd.to_timedelta([0, 1], unit="s")
    panel, _ = read_panel(frame(times), resample="mean", freq=freq)
    assert panel.grid.timestamps(panel.start)[0] == pd.Timestamp(first)


def test_hours_of_a_zone_of_half_hours_start_at_full_hours():
    times = jittered(50, 5).tz_localize("Asia/Kolkata") + pd.Timedelta("30s")
    panel, _ = read_panel(frame(times), resample="mean", freq="h")
    assert panel.grid.timestamps(panel.start)[0] == pd.Timestamp("2024-01-01", tz="Asia/Kolkata")
    regular = frame(pd.date_range(START, periods=30, freq="h", tz="Asia/Kolkata"))
    assert read_panel(regular, freq="h")[0].rows == 30


def test_duplicates_are_resolved_before_aggregation():
    times = START + pd.to_timedelta([0, 0, 20, 70], unit="min")
    rows = pd.DataFrame({"time": times, "y": [1.0, 3.0, 10.0, 5.0]})
    with pytest.raises(InputError, match="each \\(series, time\\) must be one row"):
        read_panel(rows, resample="sum", freq="h")
    panel, _ = read_panel(rows, resample="sum", freq="h", duplicates="mean")
    assert panel.target[:, 0].tolist() == [12.0, 5.0]


def test_an_incomplete_last_sum_is_reported():
    rows = frame(pd.date_range(START, periods=6 * 8 + 2, freq="10min"))
    with pytest.warns(UserWarning, match="the last sum, at 2024-01-01 08:00:00, is of 2 rows where 6 are usual"):
        read_panel(rows, resample="sum", freq="h")


@pytest.mark.parametrize(
    ("reading", "data", "rule"),
    [
        ({"resample": "mean"}, jittered(40, 5), "needs the frequency of its slots in freq=.* freq='10min'"),
        ({"resample": "mean", "freq": "ME"}, jittered(40, 5), "slots that start with the frequency.*Pass a start"),
        ({"resample": "mean", "freq": "B"}, jittered(40, 5), "must be a pandas|slots that start"),
        ({"resample": "maen", "freq": "h"}, jittered(40, 5), "Did you mean 'mean'"),
        ({"resample": "mean", "freq": "h"}, np.arange(40), "resample= needs timestamps"),
    ],
)
def test_what_cannot_be_resampled_is_refused(reading, data, rule):
    with pytest.raises(ParameterError, match=rule):
        read_panel(frame(data), time="time", **reading)
    with pytest.raises(ParameterError, match="resample= needs timestamps"):
        read_panel(np.arange(40.0), resample="mean", freq="h")


# ----------------------------------------------------------------------------------------------------------- nearest


@settings(max_examples=60, deadline=None)
@given(
    freq=st.sampled_from(["100ms", "s", "10s", "min", "10min", "h", "6h", "D", "7D"]),
    phase=st.sampled_from([0, 0.5]),
    off=st.floats(0, 0.09),
    seed=st.integers(0, 5),
    zone=st.sampled_from([None, "Europe/Berlin"]),
)
def test_rows_close_to_a_regular_grid_are_moved_to_it(freq, phase, off, seed, zone):
    rng = np.random.default_rng(seed)
    step = (pd.Timedelta(freq) if freq[0].isdigit() else pd.Timedelta(f"1{freq}")).as_unit("us")
    exact = pd.date_range(START, periods=40, freq=freq, tz=zone) + phase * step
    kept = np.flatnonzero(rng.random(40) < 0.9)
    times = exact + pd.to_timedelta(rng.uniform(-off, off, 40) * step.total_seconds(), unit="s").round("us")
    rows = frame(times).iloc[kept].sample(frac=1, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        panel, _ = read_panel(rows)
    assert panel.grid.step == step // pd.Timedelta(microseconds=1)
    assert np.flatnonzero(~np.isnan(panel.target[:, 0])).tolist() == (kept - kept[0]).tolist()
    labels = panel.grid.timestamps(panel.start[0] + kept - kept[0])
    assert (np.abs(labels - times[kept]) <= 0.101 * step).all()


def test_moved_timestamps_are_reported_once_and_later_rows_are_moved():
    rows = frame(jittered(60, 5))
    with pytest.warns(UserWarning, match=r"50 timestamps are moved to the nearest step of the 10 min grid") as said:
        panel, schema = read_panel(rows[:50])
    assert len(said) == 1
    assert schema.resample == "nearest"
    more = read_more(schema, panel.grid, rows[50:])
    assert more.start[0] == panel.ends[0] + 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_panel(rows, resample="nearest")
    with pytest.raises(InputError, match="each step must have one row, got 1 more"):
        read_more(schema, panel.grid, frame(pd.DatetimeIndex([START, START + SECOND])))


def test_duplicates_among_rows_close_to_a_grid_are_merged_by_their_rule():
    rows = frame(jittered(20, 5))
    doubled = pd.concat([rows, rows[3:4].assign(y=100.0)])
    with pytest.raises(InputError, match="must be one row"):
        read_panel(doubled, resample="nearest")
    panel, _ = read_panel(doubled, resample="nearest", duplicates="sum")
    assert panel.target[:, 0].tolist() == [0.0, 1.0, 2.0, 103.0, *np.arange(4.0, 20.0)]


@pytest.mark.parametrize(
    ("times", "alias"),
    [
        (START + pd.to_timedelta(np.cumsum(np.random.default_rng(1).exponential(40, 300)).round(2), unit="s"), "30s"),
        (jittered(300, 200), "10min"),
        (START + np.arange(300) * pd.Timedelta("10min 7s") + (np.arange(300) % 2) * pd.Timedelta("3min"), "15min"),
    ],
)
def test_other_irregular_timestamps_are_refused_with_the_remedy(times, alias):
    remedy = re.escape(f"Pass resample='mean' (or 'sum', 'last' ...) with freq='{alias}'")
    with pytest.raises(InputError, match=remedy):
        read_panel(frame(times))
    assert read_panel(frame(times), resample="mean", freq=alias)[0].rows > 1


def test_rows_at_irregular_seconds_are_reported():
    steps = np.random.default_rng(2).integers(1, 9, 400)
    with pytest.warns(UserWarning, match=r"rows fill \d+% of the steps of the .* grid.*resample='mean'"):
        read_panel(frame(START + pd.to_timedelta(np.cumsum(np.append(steps, [1] * 60)), unit="s")))


# -------------------------------------------------------------------------------------------------------- forecasters


def sensor(rows=600, start=START):
    """Two readings in each hour, at any minute, and a covariate."""
    rng = np.random.default_rng(3)
    times = start + pd.to_timedelta(np.arange(rows) * 30 + rng.integers(0, 30, rows), unit="min")
    return frame(times, wind=rng.normal(size=rows)).assign(y=np.sin(np.arange(rows) / 6))


def test_a_forecaster_reads_history_updates_and_rows_to_forecast_by_its_slots(tmp_path):
    rows = sensor()
    model = fk.LinearForecaster(
        horizon=4, lookback=8, target="y", known="wind", resample="mean", freq="h"
    ).fit(rows[:-8])  # fmt: skip
    slots = rows.assign(time=rows["time"].dt.floor("h")).groupby("time", as_index=False).mean()
    plain = fk.LinearForecaster(horizon=4, lookback=8, target="y", known="wind").fit(slots[:-4])
    expected = plain.forecast(slots[-4:])
    pd.testing.assert_frame_equal(model.forecast(rows[-8:]), expected)
    model.save(tmp_path / "m.fk")
    loaded = fk.load(tmp_path / "m.fk")
    pd.testing.assert_frame_equal(loaded.forecast(rows[-8:]), expected)
    assert len(loaded.predict(rows[-8:])) == 4
    assert loaded.update(rows[-8:-4]).cutoff_ == slots["time"].iloc[-3]
    earlier = loaded.forecast(rows[-12:-4], history=rows[:-12])
    pd.testing.assert_frame_equal(earlier, plain.forecast(slots[-6:-2], history=slots[:-6]))
    with pytest.warns(UserWarning, match="1 slots of the history are replaced"):
        loaded.update(rows[-6:-4])


def test_one_value_for_each_row_of_X_with_y_at_fit():
    rows = sensor()
    model = fk.LinearForecaster(horizon=4, lookback=8, resample="mean", freq="h", time="time")
    model.fit(rows[["time", "wind"]][:-8], rows["y"][:-8])
    values = model.predict(rows[["time", "wind"]][-8:])
    assert values.shape == (8,)
    np.testing.assert_array_equal(values[::2], values[1::2])


def test_later_rows_do_not_enter_earlier_slots():
    rows = sensor()
    cut = rows["time"].dt.floor("h").unique()[-5]
    known = rows[rows["time"] < cut]
    changed = rows.assign(y=rows["y"].where(rows["time"] < cut, 1e3))
    panels = [read_panel(data, target="y", past="wind", resample="mean", freq="h")[0] for data in (rows, changed)]
    before = panels[0].row_at(np.zeros(1, int), panels[0].grid.ordinals(pd.DatetimeIndex([cut]))[0])[0]
    np.testing.assert_array_equal(panels[0].target[:before], panels[1].target[:before])
    only = read_panel(known, target="y", past="wind", resample="mean", freq="h")[0]
    np.testing.assert_array_equal(only.target, panels[0].target[:before])


def test_weights_of_rows_of_a_slot_are_their_mean():
    rows = sensor(80)
    weight = np.tile([0.0, 2.0], 40)
    model = fk.LinearForecaster(horizon=2, lookback=4, target="y", past="wind", resample="sum", freq="h")
    even = fk.LinearForecaster(horizon=2, lookback=4, target="y", past="wind", resample="sum", freq="h")
    pd.testing.assert_frame_equal(model.fit(rows, sample_weight=weight).forecast(), even.fit(rows).forecast())
