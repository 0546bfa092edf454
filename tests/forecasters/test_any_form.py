"""Data in any mixture of forms give the forecast of their cleaned twin, and a number wherever one is possible."""

from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from conftest import SMALL
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import forecastkit as fk
from forecastkit.cli.read_data import read_data

ZONE = "Europe/Berlin"
STARTS = {"h": "2024-03-20", "15min": "2024-10-25", "D": "2023-12-01", "B": "2024-01-01", "MS": "1650-01-01"}
LIBRARIES = {"pandas": lambda frame: frame, "polars": pl.from_pandas, "pyarrow": pa.Table.from_pandas}
HORIZON = 4


def clean(freq, lengths, gaps, seed):
    """Sorted rows of each series with a known and a past covariate, some cells missing."""
    rng = np.random.default_rng(seed)
    parts = []
    for name, length in zip("abc", lengths, strict=False):
        frame = pd.DataFrame({"unique_id": name, "ds": pd.date_range(STARTS[freq], periods=length, freq=freq)})
        wave = 10 + 3 * np.sin(np.arange(length) / 3)
        frame["y"] = (wave + rng.normal(size=length)).round(3)
        frame["wind"] = rng.normal(size=length).round(3)
        frame.loc[rng.choice(length, int(gaps * length), replace=False), "y"] = np.nan
        frame.loc[[0, 1, length - 1], "y"] = [1.0, 2.0, 3.0]
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)


def values(forecast):
    """A long forecast as numbers by series and time."""
    frame = forecast if isinstance(forecast, pd.DataFrame) else pd.DataFrame(pa.table(forecast).to_pandas())
    keys = [name for name in frame.columns[:2] if name != "cutoff" and name != "step"]
    number = [name for name in frame if name in ("forecast", "q0.1", "q0.5", "q0.9")]
    return frame.sort_values(keys, kind="stable")[number].to_numpy(dtype="float64")


@st.composite
def cases(draw):
    freq = draw(st.sampled_from(sorted(STARTS)))
    lengths = draw(st.lists(st.integers(40, 60), min_size=1, max_size=3))
    return clean(freq, lengths, draw(st.sampled_from([0, 0.2])), draw(st.integers(0, 99))), freq


@st.composite
def mixtures(draw):
    """Names of what is done to a table, and how its rows are mixed."""
    return {
        "seed": draw(st.integers(0, 99)),
        "shuffled": draw(st.booleans()),
        "dropped": draw(st.booleans()),
        "doubled": draw(st.booleans()),
        "renamed": draw(st.booleans()),
        "zone": draw(st.sampled_from(["none", "aware", "naive", "utc"])),
        "kind": draw(st.sampled_from(["columns", "texts", "levels", "categories", "polars", "pyarrow"])),
    }


def mixed(frame, mix):
    """The table in another form, and the parameters that say so."""
    options = {"time": "ds", "series_id": "unique_id", "target": "y", "past": "wind"}
    if mix["dropped"]:  # a missing row is a row of missing cells, but for the covariate
        frame = frame[frame["y"].notna() | frame["wind"].notna()]
    if mix["doubled"]:
        frame = pd.concat([frame, frame.sample(5, random_state=mix["seed"])])
        options["duplicates"] = "mean"
    if mix["shuffled"]:
        order = frame["unique_id"].drop_duplicates()
        frame = frame.sample(frac=1, random_state=mix["seed"]).sort_values(
            "unique_id", kind="stable", key=lambda names: names.map(dict(zip(order, range(len(order)), strict=True)))
        )
    frame, options = zoned(frame, options, mix["zone"])
    if mix["renamed"]:
        frame = frame.rename(columns={"unique_id": "shop", "ds": "when", "y": "sales", "wind": "w x"})
        options = {name: RENAMED.get(value, value) for name, value in options.items()}
    return dressed(frame, options, mix["kind"]), options


RENAMED = {"unique_id": "shop", "ds": "when", "y": "sales", "wind": "w x"}


def zoned(frame, options, zone):
    if zone == "none":
        return frame, options
    if zone == "naive":
        return frame, {**options, "timezone": ZONE}
    aware = frame["ds"].dt.tz_localize(ZONE)
    if zone == "utc":
        return frame.assign(ds=aware.dt.tz_convert("UTC")), {**options, "timezone": ZONE}
    return frame.assign(ds=aware), options


def dressed(frame, options, kind):
    if kind == "texts":
        return frame.assign(**{options["time"]: frame[options["time"]].astype(str)})
    if kind == "levels":
        return frame.set_index([options["series_id"], options["time"]])
    if kind == "categories":
        return frame.astype({options["series_id"]: "category"})
    return LIBRARIES.get(kind, LIBRARIES["pandas"])(frame.reset_index(drop=True))


def check_same(make, frame, freq, mix):
    skipped = freq == "h" and mix["zone"] != "none"
    if skipped:  # clocks skip an hour of these days
        frame = frame[frame["ds"] != "2024-03-31 02:00"]
    if mix["zone"] == "none":
        twin = make(time="ds", series_id="unique_id", target="y", past="wind").fit(frame)
    else:
        aware = frame.assign(ds=frame["ds"].dt.tz_localize(ZONE))
        twin = make(time="ds", series_id="unique_id", target="y", past="wind").fit(aware)
    data, options = mixed(frame, mix)
    expected, got = values(twin.forecast()), values(make(**options).fit(data).forecast())
    assert np.isfinite(got).all()
    np.testing.assert_allclose(got, expected, rtol=1e-9)


def linear(**options):
    return fk.LinearForecaster(horizon=HORIZON, lookback=8, recipes=1, **options)


@given(case=cases(), mix=mixtures())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_linear_forecast_is_that_of_the_cleaned_twin(case, mix):
    check_same(linear, *case, mix)


@pytest.mark.parametrize("kind", ["levels", "polars"])
def test_the_forecast_of_a_network_is_that_of_the_cleaned_twin(kind):
    mix = dict.fromkeys(("shuffled", "dropped", "doubled", "renamed"), True)
    make = partial(fk.GRUForecaster, **{**SMALL, "horizon": HORIZON})
    check_same(make, clean("h", [60, 50], 0.2, 1), "h", {**mix, "seed": 3, "zone": "naive", "kind": kind})


@given(freq=st.sampled_from(sorted(STARTS)), length=st.integers(40, 60), seed=st.integers(0, 99))
@settings(max_examples=12, deadline=None)
def test_wide_is_long(freq, length, seed):
    long = clean(freq, [length] * 3, 0.2, seed).drop(columns="wind")
    wide = long.pivot(index="ds", columns="unique_id", values="y").sample(frac=1, random_state=seed)
    got, expected = linear().fit(wide).forecast(), linear().fit(long).forecast()
    got = got.sort_values(["target", "ds"])["forecast"]
    expected = expected.sort_values(["unique_id", "ds"])["forecast"]
    np.testing.assert_allclose(got, expected, atol=1e-3)  # single precision sums rows in another order


FORMS = {
    "h": ["%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p"],
    "15min": ["%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M"],
    "D": ["%Y-%m-%d", "%d.%m.%Y"],
    "B": ["%Y/%m/%d"],
    "MS": ["%Y-%m-%d"],
}


DIALECTS = [(",", "."), (";", ","), ("\t", ".")]


@given(case=cases(), number=st.integers(0, 2), dialect=st.sampled_from(DIALECTS), packed=st.booleans())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_is_the_frame_it_was_written_from(tmp_path, case, number, dialect, packed):
    frame, freq = case
    forms = FORMS[freq]
    path = tmp_path / f"data.csv{'.gz' if packed else ''}"
    written = frame.assign(ds=frame["ds"].dt.strftime(forms[number % len(forms)]))
    written.to_csv(path, index=False, sep=dialect[0], decimal=dialect[1])
    data = read_data(path, {"target": ["y"]})
    keys = {"time": "ds", "target": "y", "past": "wind"}
    got = linear(**keys, series_id=data.roles.series_id).fit(data.frame).forecast()
    np.testing.assert_allclose(
        values(got), values(linear(**keys, series_id="unique_id").fit(frame).forecast()), rtol=1e-9
    )
