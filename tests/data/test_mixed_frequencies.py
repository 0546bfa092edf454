"""Series of different frequencies are refused by name; short series and gaps are not."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.utils.exceptions import InputError

#: Pandas aliases of two frequencies, the finer first, with the words for both.
PAIRS = {
    ("D", "MS"): ("daily", "monthly"),
    ("D", "W-MON"): ("daily", "weekly"),
    ("D", "ME"): ("daily", "monthly"),
    ("15min", "h"): ("15 min", "hourly"),
    ("30min", "h"): ("30 min", "hourly"),
    ("h", "D"): ("hourly", "daily"),
    ("W-SUN", "MS"): ("weekly", "monthly"),
    ("MS", "QS"): ("monthly", "quarterly"),
    ("QS", "YS"): ("quarterly", "yearly"),
    ("B", "MS"): ("(daily|business days)", "monthly"),
}


def series(name, freq, rows, start="2022-01-01"):
    """A long table of one series."""
    return pd.DataFrame({"unique_id": name, "ds": pd.date_range(start, periods=rows, freq=freq), "y": 1.0})


@pytest.mark.parametrize("coarse_rows", [12, 300])
@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
def test_series_of_a_coarser_frequency_are_refused_by_name(pair, coarse_rows):
    fine, coarse = PAIRS[pair]
    rows = pd.concat([series("b", pair[0], 80), series("a", pair[1], coarse_rows, "1990-01-01")])
    for frame in (rows, rows[::-1], rows.sample(frac=1, random_state=0)):
        with pytest.raises(
            InputError, match=rf"share one frequency \({fine}\), got 'a' \({coarse}\)\. Fit them separately"
        ):
            read_panel(frame)


def test_the_frequency_named_in_the_remedy_reads_both():
    rows = pd.concat([series("a", "D", 80), series("b", "MS", 30)])
    with pytest.raises(InputError, match=r"resample='mean' \(or 'sum' \.\.\.\) and freq='MS'\. With freq='D' alone"):
        read_panel(rows)
    monthly, _ = read_panel(rows, freq="MS", resample="mean")
    assert (monthly.grid.name, np.isfinite(monthly.target).sum()) == ("monthly", 33)
    panel, _ = read_panel(rows, freq="D")
    assert panel.grid.name == "daily"
    assert np.isfinite(panel.target[panel.indptr[1] :]).sum() == 30


def test_many_series_of_which_one_is_coarser():
    frames = [series(f"s{i}", "D", 40) for i in range(300)]
    with pytest.raises(InputError, match=r"got 's300' \(weekly\)"):
        read_panel(pd.concat([*frames, series("s300", "W-MON", 20)]))


@settings(max_examples=60, deadline=None)
@given(
    freq=st.sampled_from(["D", "h", "MS", "15min"]),
    kept=st.lists(st.booleans(), min_size=12, max_size=40),
    rows=st.integers(2, 7),
    step=st.integers(1, 4),
)
def test_short_series_and_gaps_are_no_frequency_of_their_own(freq, kept, rows, step):
    """Up to seven rows, evenly apart or not, and any rows left out at random, stay in the panel."""
    gaps = series("b", freq, len(kept))[[True, *kept[1:-1], True]]
    regular = set(np.diff(np.flatnonzero([True, *kept[1:-1], True]))) != {1}
    few = series("c", freq, rows * step)[::step] if freq != "MS" else series("c", freq, 3)
    irregular = gaps if regular and len(set(np.diff(gaps["ds"]))) > 2 else gaps[:0]
    panel, _ = read_panel(pd.concat([series("a", freq, 50), few, irregular]))
    assert len(panel.ids) == 2 + bool(len(irregular))


@pytest.mark.filterwarnings("default")
def test_targets_of_a_coarser_frequency_are_named():
    times = pd.date_range("2022-01-01", periods=60, freq="MS")
    frame = pd.DataFrame({"cpi": np.arange(60.0), "gdp": np.where(np.arange(60) % 3, np.nan, 1.0)}, index=times)
    with pytest.warns(UserWarning, match=r"coarser frequency than the monthly rows: 'gdp' \(quarterly\)"):
        read_panel(frame)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_panel(frame, freq="MS")
        read_panel(frame.assign(gdp=frame["gdp"].mask(np.arange(60) < 50)))
