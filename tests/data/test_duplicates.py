"""Rows with the same series and time: refused, or merged by a rule."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from conftest import wave
from hypothesis import given, settings
from hypothesis import strategies as st

import forecastkit as fk
from forecastkit.data.ingest.duplicates import RULES
from forecastkit.data.ingest.read_panel import read_more, read_panel
from forecastkit.utils.exceptions import InputError, ParameterError

TIMES = pd.date_range("2024-01-01", periods=8, freq="h")
CELLS = st.one_of(st.just(np.nan), st.floats(-1e6, 1e6))


@given(
    rows=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 7), CELLS, CELLS), min_size=1, max_size=40),
    rule=st.sampled_from(RULES[1:]),
)
@settings(max_examples=100, deadline=None)
def test_rules_are_those_of_pandas(rows, rule):
    frame = pd.DataFrame(rows, columns=["unique_id", "ds", "y", "k"])
    frame["ds"] = TIMES[frame["ds"]]
    panel, _ = read_panel(frame, target="y", known="k", freq="h", duplicates=rule)
    groups = frame.groupby(["unique_id", "ds"], sort=False)
    expected = groups.sum(min_count=1) if rule == "sum" else getattr(groups, rule)()
    for (name, at), row in expected.iterrows():
        place = panel.row_at(panel.ids.index(name), panel.grid.ordinals(pd.DatetimeIndex([at]))[0])
        np.testing.assert_allclose(panel.target[place, 0], row["y"], rtol=1e-12)
        np.testing.assert_allclose(panel.known[place, 0], np.float32(row["k"]), rtol=1e-6)
    assert np.isnan(panel.target).sum() == panel.rows - expected["y"].notna().sum()


FRAME = pd.DataFrame({"unique_id": "a", "ds": TIMES, "y": np.arange(8.0), "kind": ["u", "v"] * 4})
TWICE = pd.concat([FRAME, FRAME[:5].assign(y=10.0, kind="v")], ignore_index=True)


@pytest.mark.parametrize("rule", RULES[1:])
def test_categories_take_the_last_row(rule):
    panel, schema = read_panel(TWICE, target="y", known="kind", duplicates=rule)
    later = FRAME.assign(kind=["v"] * 5 + ["v", "u", "v"])
    np.testing.assert_array_equal(panel.known, read_more(schema, panel.grid, later).known)


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.from_pandas, pa.Table.from_pandas])
def test_frames_of_every_library(kind):
    panel, _ = read_panel(kind(TWICE.drop(columns="kind")), duplicates="max")
    assert panel.target[:, 0].tolist() == [10, 10, 10, 10, 10, 5, 6, 7]


def test_duplicates_are_refused_by_default_naming_the_first():
    with pytest.raises(InputError) as refusal:
        read_panel(TWICE, target="y", known="kind")
    assert str(refusal.value) == (
        "Panel: each (series, time) must be one row, got 5 duplicates: 'a' at 2024-01-01 00:00:00, "
        "'a' at 2024-01-01 01:00:00, 'a' at 2024-01-01 02:00:00, ... and 2 more. "
        "If clocks change, set timezone=, or duplicates='mean'."
    )
    with pytest.raises(InputError, match=r"duplicates='mean' averages them\.$"):
        read_panel(TWICE, target="y", known="kind", timezone="UTC")
    with pytest.raises(ParameterError, match=r"duplicates must be one of 'refuse', 'mean'.*got 'men'"):
        read_panel(TWICE, duplicates="men")


def test_numbered_rows_may_be_doubles_too():
    series = pd.Series([1.0, 2.0, 4.0, 8.0], index=[3, 4, 4, 5])
    assert read_panel(series, duplicates="mean")[0].target[:, 0].tolist() == [1, 3, 8]


def test_newer_rows_follow_the_rule_of_fit():
    series = pd.Series(wave(60), index=pd.date_range("2024-01-01", periods=60, freq="h"))
    newer = pd.Series([1.0, 3.0, 5.0], index=pd.DatetimeIndex(["2024-01-03 12:00"] * 2 + ["2024-01-03 13:00"]))
    model = fk.LinearForecaster(horizon=3, lookback=6, duplicates="mean").fit(series).update(newer)
    assert model.history_.target[-2:, 0].tolist() == [2, 5]
    with pytest.raises(InputError, match="got 1 duplicate: 2024-01-03 12:00:00"):
        fk.LinearForecaster(horizon=3, lookback=6).fit(series).update(newer)
