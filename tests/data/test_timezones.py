"""Localization of times without a zone: repeated, missing and skipped hours."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from conftest import wave
from hypothesis import given, settings
from hypothesis import strategies as st

import forecastkit as fk
from forecastkit.data.ingest.read_panel import read_more, read_panel
from forecastkit.data.ingest.timezones import Changes, clock_changes, in_zone
from forecastkit.data.row_labels import Places
from forecastkit.utils.exceptions import InputError, ParameterError

BERLIN = "Europe/Berlin"
ZONES = [BERLIN, "America/New_York", "Australia/Lord_Howe", "America/Havana", "Europe/Moscow", "Asia/Kolkata"]


def hours(start, end, freq="h", tz=BERLIN):
    return pd.date_range(start, end, freq=freq, tz=tz)


def naive(index):
    return index.tz_localize(None)


def read(timestamps, tz=BERLIN, entity=None):
    entity = np.zeros(len(timestamps), dtype="int64") if entity is None else np.asarray(entity)
    return in_zone(timestamps, Places(entity, tuple(range(entity.max() + 1)), timestamps), tz)


def model(**options):
    return fk.LinearForecaster(horizon=4, lookback=12, **options)


# Reading --------------------------------------------------------------------------------------------------------------


@given(
    zone=st.sampled_from(ZONES),
    freq=st.sampled_from(["h", "30min", "15min", "10min"]),
    year=st.integers(2008, 2024),
    unit=st.sampled_from(["s", "ms", "us", "ns"]),
    falling=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_a_year_of_times_is_read_as_it_was(zone, freq, year, unit, falling):
    freq = "30min" if "Lord" in zone and freq == "h" else freq  # clocks go back by half an hour there
    index = hours(f"{year}-01-01", f"{year + 1}-01-01", freq, zone).as_unit(unit)[:: -1 if falling else 1]
    assert read(naive(index), zone).equals(index)


@given(rows=st.sets(st.integers(0, 27), min_size=1), freq=st.sampled_from(["30min", "15min"]))
@settings(max_examples=80, deadline=None)
def test_missing_rows_are_resolved_by_the_order(rows, freq):
    """A single ambiguous time is the later one only after a row that fell back."""
    index = hours("2024-10-27 00:00", "2024-10-27 05:45", freq)
    index = index[[row % len(index) for row in sorted(rows)]].unique().sort_values()
    index = hours("2024-10-26 00:00", "2024-10-26 23:00").append(index)
    wall, expected = naive(index), []
    for at, stamp in zip(wall, index, strict=True):  # the rule, said slowly
        before = [other for other in wall[: len(expected)] if other.date() == at.date() and other.hour == 2]
        late = at.hour == 2 and any(other >= at for other in before)
        late = late or (at.hour == 2 and any(a > b for a, b in pairwise(before)))
        expected.append(at.tz_localize(BERLIN, ambiguous=not late))
        if (wall == at).sum() == 2:
            assert expected[-1] == stamp
    assert read(wall).tolist() == expected


def test_a_repeated_hour_that_was_dropped_leaves_a_gap():
    index = hours("2024-10-26", "2024-10-28")
    kept = index[index != pd.Timestamp("2024-10-27 02:00", tz="UTC+01:00")]
    with pytest.raises(ValueError, match="no repeated times"):
        naive(kept).tz_localize(BERLIN, ambiguous="infer")
    assert read(naive(kept)).equals(kept)
    panel, _ = read_panel(pd.Series(wave(len(kept)), index=naive(kept)), timezone=BERLIN)
    assert (panel.rows, int(np.isnan(panel.target).sum())) == (len(index), 1)
    assert clock_changes(panel) == Changes(repeated=0, dropped=1, skipped=0)


def test_rows_sorted_by_the_clock_are_read_by_their_rank():
    index = hours("2024-10-26", "2024-10-28", "15min")
    order = np.argsort(naive(index), kind="stable")
    assert read(naive(index)[order]).equals(index[order])


def test_interleaved_series_are_resolved_separately():
    index = hours("2024-10-26", "2024-10-28", "30min")
    both = index.repeat(2)
    assert read(naive(both), entity=np.tile([0, 1], len(index))).equals(both)


def test_times_of_other_zones_are_converted():
    utc = pd.date_range("2024-10-26", periods=60, freq="h", tz="UTC")
    assert read(utc).equals(utc.tz_convert(BERLIN))


# Refusals -------------------------------------------------------------------------------------------------------------

SPRING = pd.date_range("2024-03-30", periods=60, freq="h")


@pytest.mark.parametrize(
    ("data", "options", "says"),
    [
        (
            pd.Series(wave(60), index=SPRING),
            {"timezone": BERLIN},
            "times must exist in Europe/Berlin, whose clocks skip an hour, got 1 that does not: 2024-03-31 02:00:00. "
            "If they are in another zone",
        ),
        (
            pd.Series(wave(30), index=naive(hours("2024-10-26", "2024-10-27")).append(
                pd.DatetimeIndex(["2024-10-27 02:00"] * 5))),
            {"timezone": BERLIN, "duplicates": "mean"},
            "a series may have it twice, got 5 more often: 2024-10-27 02:00:00",
        ),
        (pd.Series(wave(60)), {"timezone": BERLIN}, "timezone= needs times, got none. Leave it out."),
        (pd.Series(wave(60), index=np.arange(60) + 5), {"timezone": BERLIN}, "needs times, got whole numbers"),
        (pd.Series(wave(60), index=SPRING.to_period("h")), {"timezone": BERLIN}, "needs times, got periods"),
        (pd.Series(wave(60), index=SPRING), {"timezone": "Europe/Berlim"}, "Did you mean 'Europe/Berlin'?"),
        (pd.Series(wave(60), index=SPRING), {"timezone": "Europe"}, "must be the name of a time zone"),
        (pd.Series(wave(60), index=SPRING), {"timezone": 1}, "must be the name of a time zone"),
        (
            pd.Series(wave(49), index=naive(hours("2024-10-26", "2024-10-28 00:00"))[:49]),
            {},
            "got 1 duplicate: 2024-10-27 02:00:00. If there are several series, name their column in series_id=. "
            "If clocks change, set timezone=, or duplicates='mean'.",
        ),
    ],
)  # fmt: skip
def test_refused(data, options, says):
    with pytest.raises(InputError) as refusal:
        read_panel(data, **options)
    assert says in str(refusal.value)


def test_times_with_and_without_a_zone_are_distinguished():
    aware = pd.Series(wave(60), index=SPRING.tz_localize("UTC"))
    for seen, later, says in (
        (aware, SPRING, r"times must have a zone, as at fit \(UTC\), got 2024-03-30 00:00:00, ... and 59 more"),
        (aware.set_axis(SPRING), aware.index, "times had no zone at fit"),
    ):
        panel, schema = read_panel(seen)
        with pytest.raises(InputError, match=says):
            read_more(schema, panel.grid, aware.set_axis(later))


def test_an_unknown_zone_is_refused_by_fit():
    with pytest.raises(ParameterError, match="got 'Mars/Base'"):
        model(timezone="Mars/Base").fit(pd.Series(wave(60), index=SPRING))


# Forecasts ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def autumn():
    index = hours("2024-10-20", "2024-11-05")
    return pd.Series(wave(len(index)), index=index, name="load")


def test_forecasts_come_back_in_the_zone_and_equal_those_of_aware_times(autumn):
    ours = model(timezone=BERLIN).fit(autumn.set_axis(naive(autumn.index)))
    theirs = model().fit(autumn)
    pd.testing.assert_series_equal(ours.predict(), theirs.predict())
    pd.testing.assert_frame_equal(ours.forecast(), theirs.forecast())
    assert ours.cutoff_ == autumn.index[-1]
    pd.testing.assert_frame_equal(ours.future_frame(), theirs.future_frame())


def test_a_repeated_hour_is_resolved_by_the_history(autumn):
    rows = autumn["2024-10-27 00:00":"2024-10-27 05:00"]
    forecaster = model(timezone=BERLIN).fit(autumn[: rows.index[0]].set_axis(naive(autumn[: rows.index[0]].index)))
    for at, value in rows.iloc[1:].items():
        forecaster.update(pd.Series([value], index=pd.DatetimeIndex([at.tz_localize(None)])))
        assert forecaster.n_replaced_ == 0
        assert forecaster.cutoff_ == at


def test_rows_to_forecast_after_the_history_are_in_the_later_hour(autumn):
    k = pd.DataFrame({"k": np.arange(len(autumn)) % 7.0}, index=naive(autumn.index))
    y = autumn.to_numpy()
    end = 7 * 24 + 3  # the first 02:00 is known
    forecaster = model(timezone=BERLIN).fit(k[:end], y[:end])
    assert forecaster.cutoff_ == pd.Timestamp("2024-10-27 02:00", tz="UTC+02:00")
    later = k[end : end + 4]
    aware = later.set_axis(autumn.index[end : end + 4])
    np.testing.assert_array_equal(forecaster.predict(later), forecaster.predict(aware))
    np.testing.assert_array_equal(forecaster.predict(later), forecaster.predict(later.to_numpy()))


def test_a_loaded_forecaster_resolves_clock_changes(autumn, tmp_path):
    forecaster = model(timezone=BERLIN).fit(autumn.set_axis(naive(autumn.index)))
    forecaster.save(tmp_path / "m.forecast")
    again = fk.load(tmp_path / "m.forecast")
    pd.testing.assert_series_equal(again.predict(), forecaster.predict())
    newer = pd.Series([1.0, 2.0], index=pd.date_range("2024-11-05 01:00", periods=2, freq="h"))
    assert again.update(newer).cutoff_ == pd.Timestamp("2024-11-05 02:00", tz=BERLIN)


def test_a_label_without_a_zone_is_local_time(autumn):
    backtest = fk.backtest(model(), autumn, start="2024-10-31")
    assert backtest.forecasts["cutoff"].min() == pd.Timestamp("2024-10-30 23:00", tz=BERLIN)


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "Africa/Cairo", "Asia/Beirut", "America/Havana"])
def test_days_whose_midnight_is_skipped_or_repeated_are_days(zone):
    days = pd.date_range("2014-01-01", "2018-12-31")
    panel, schema = read_panel(pd.Series(np.arange(len(days)) * 1.0, index=days), timezone=zone)
    assert (panel.grid.name, panel.rows) == ("daily", len(days))
    assert not np.isnan(panel.target).any()
    timestamps = panel.grid.timestamps(panel.ordinals())
    again, _ = read_panel(pd.Series(np.arange(len(days)) * 1.0, index=timestamps))
    np.testing.assert_array_equal(again.target, panel.target)
    odd = timestamps[timestamps.hour > 0]
    assert len(odd) == 0 or read_more(schema, panel.grid, pd.Series([1.0], index=odd[:1])).rows == 1


def test_changes_are_counted_by_series():
    index = hours("2023-01-01", "2024-12-31", "30min")
    both = pd.concat([pd.DataFrame({"unique_id": name, "ds": naive(index), "y": 1.0}) for name in "ab"])
    short = pd.DataFrame({"unique_id": "c", "ds": naive(index[:100]), "y": 1.0})
    panel, _ = read_panel(pd.concat([both, short]), timezone=BERLIN)
    assert clock_changes(panel) == Changes(repeated=4, dropped=0, skipped=4)
    panel, _ = read_panel(pd.Series(1.0, index=index.tz_convert("UTC")))
    assert clock_changes(panel) == Changes()
