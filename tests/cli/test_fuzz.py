"""Random tables through inspect, train and predict: a refusal in one sentence or a plausible forecast."""

import contextlib
import io
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
from conftest import FUZZED
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecastkit.cli import main
from forecastkit.cli.read_data import read_data
from forecastkit.data.panel import Panel

#: Forecasts further from the observed values than so many times their range are absurd.
ABSURD = 100

STARTS = st.sampled_from(["2024-01-01", "1999-12-31 23:00", "2024-02-28", "1969-06-01", "2024-03-30 22:00"])
FREQUENCIES = st.sampled_from(["D", "h", "MS", "ME", "W", "B", "15min", "QS", "YS", "2D", "s"])
FORMATS = st.sampled_from(
    [*["%Y-%m-%d %H:%M:%S"] * 8, "%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%Y%m%d", "%b %Y", "%s", "%H:%M"]
)
#: Formats that keep every time of `FREQUENCIES`.
COMPLETE = st.sampled_from(["%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%d %b %Y %H:%M:%S"])
ORDERS = ["as it is", "reversed", "shuffled", "repeated"]
ENDS = ["", "", "", "\n", ",,,\n", "Total,1\n", '"', "\0"]
BLANKS = st.sampled_from(["", "NA", "null", "nan", "-", "?", " "])
NAMES = st.sampled_from(
    [*["y", "sales", "load", "temp"] * 3, "time", "date", "id", "", "a,b", "ä", "forecast", "step", "1"]
)
ODD_CELLS = st.sampled_from(
    [
        "",
        "NA",
        "Total",
        "x",
        "1e309",
        "-inf",
        "1e300",
        "3e39",
        "-0",
        "1,5",
        "0x1f",
        "\u2212 3",
        "12 %",
        "true",
        '"',
        "'",
        "007",
    ]
)


@st.composite
def columns(draw, rows: int):
    """Cells of one column as text."""
    kind = draw(
        st.sampled_from(["wave", "noise", "constant", "counts", "text", "few levels", "blank", "row number", "huge"])
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    cells = {
        "wave": lambda: 10 + np.sin(np.arange(rows) / 3),
        "noise": lambda: rng.normal(size=rows) * 10.0 ** rng.integers(-12, 12),
        "constant": lambda: np.full(rows, 5.0),
        "counts": lambda: rng.poisson(1.0, rows),
        "text": lambda: np.array([f"word {value}" for value in rng.integers(0, 10**6, rows)]),
        "few levels": lambda: rng.choice(["a", "b", "c"], rows),
        "blank": lambda: np.full(rows, ""),
        "row number": lambda: np.arange(rows),
        "huge": lambda: rng.normal(size=rows) * 10.0 ** rng.integers(100, 308),
    }[kind]().astype(str)
    cells = cells.astype(object)
    for _ in range(draw(st.integers(0, 3))):
        if rows:
            cells[rng.integers(rows)] = draw(st.one_of(BLANKS, ODD_CELLS))
    if draw(st.booleans()):
        cells[rng.random(rows) < draw(st.sampled_from([0.05, 0.5, 0.95]))] = draw(BLANKS)
    return cells


@st.composite
def measurements(draw, rows: int):
    """Cells of a column of numbers, a few of them blank."""
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    level, noise = 10.0 ** draw(st.integers(-6, 6)), draw(st.sampled_from([0.0, 0.1, 3.0]))
    values = level * (5 + np.sin(np.arange(rows) / 3) + noise * rng.normal(size=rows))
    cells = (values.round() if draw(st.booleans()) else values).astype(str).astype(object)
    cells[rng.random(rows) < draw(st.sampled_from([0.0, 0.0, 0.1, 0.4]))] = draw(BLANKS)
    return cells


@st.composite
def tables(draw):
    """The bytes of a delimited file: times in some form, series, and columns of all kinds, some of them broken.

    Most tables are long enough and have complete times and a target, and anything else; the others have anything.
    """
    sound = draw(st.sampled_from([True, True, False]))
    rows = draw(st.sampled_from([12, 20, 30, 40] if sound else [0, 1, 2, 3, 5, 8, 12, 20]))
    series = draw(st.sampled_from([1, 1, 1, 2, 3]))
    found = {}
    if sound or draw(st.integers(0, 9)):
        start, freq = pd.Timestamp(draw(STARTS)), draw(FREQUENCIES)
        if sound and freq not in ("h", "15min", "s"):
            start = start.normalize()
        times = pd.date_range(start, periods=rows, freq=freq)
        times = times.strftime(draw(COMPLETE if sound else FORMATS)).to_numpy(object)
        found[draw(st.sampled_from(["time", "date", "Datum", "ds", "month"]))] = np.tile(times, series)
    if series > 1:
        labels = draw(st.sampled_from([["a", "b", "c"], ["001", "002", "003"], ["NA", "null", "x"], ["1.0", "1", "2"]]))
        found[draw(st.sampled_from(["site", "id", "store"]))] = np.repeat(np.array(labels[:series], dtype=object), rows)
    if sound:
        found["value"] = draw(measurements(rows * series))
    for name in draw(st.lists(NAMES, min_size=0, max_size=4)):
        found[name] = draw(columns(rows * series))
    frame = pd.DataFrame(found)
    order = draw(st.sampled_from([*ORDERS, *ORDERS[:3] * 2 * sound]))
    if len(frame):
        frame = {
            "as it is": frame,
            "reversed": frame[::-1],
            "shuffled": frame.sample(frac=1, random_state=0),
            "repeated": pd.concat([frame, frame[:2]]),
        }[order]
    text = frame.to_csv(index=draw(st.integers(0, 9)) == 0, sep=draw(st.sampled_from([",", ";", "\t", "|"])))
    end = draw(st.sampled_from([*ENDS, *ENDS[:4] * 3 * sound]))
    content = (text + end).encode(
        draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1"])), "replace"
    )
    if draw(st.integers(0, 19)) == 0:
        content = content[: draw(st.integers(0, len(content)))]
    return content


class Refused(Exception):
    """A command that ended with an error message."""


def command(*args: str) -> dict:
    """The JSON of a command; a refusal must be one sentence."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([*args, "--json"])
    lines = err.getvalue().strip().splitlines()
    if code:
        assert code in (1, 2)
        assert not out.getvalue()
        assert lines[-1].startswith("error    ")
        assert all(line.startswith("warning  ") for line in lines[:-1]), err.getvalue()
        assert len(lines[-1]) < 2000
        raise Refused
    assert all(line.startswith("warning  ") for line in lines), err.getvalue()
    return json.loads(out.getvalue())


def check_table(content: bytes, folder) -> str:
    """Run the three commands on a table in an empty folder; return the last that succeeded."""
    table, model = os.path.join(folder, "table.csv"), os.path.join(folder, "m.forecast")
    with open(table, "wb") as file:
        file.write(content)
    try:
        found = command("inspect", table)
        trained = command("train", "--csv", table, "--model", "linear", "--out", model)
        forecast = command("predict", model)
    except Refused:
        return "refused"
    finally:
        with open(table, "rb") as file:
            assert file.read() == content, "the input was changed"
        left = set(os.listdir(folder)) - {"table.csv", "m.forecast"}
        assert not left, left
    assert found["target"] == trained["target"]
    rows = forecast["forecast"]
    assert len(rows) % trained["horizon"] == 0
    check_forecasts(pd.DataFrame(rows), read_data(Path(table), {}).panel)
    return "forecast"


def check_forecasts(frame: pd.DataFrame, history: Panel) -> None:
    """Check that forecasts are finite, quantiles increase, and points are near the observed values."""
    values = frame[["forecast", "q0.1", "q0.5", "q0.9"]].to_numpy(dtype="float64")
    assert np.isfinite(values).all(), values
    slack = 1e-6 * np.abs(values).max()
    assert (np.diff(values[:, 1:]) >= -slack).all(), values
    observed = history.target[~np.isnan(history.target)]
    low, high = observed.min(), observed.max()
    reach = ABSURD * (high - low) + 1e-3 * max(abs(low), abs(high))
    assert (values[:, 0] >= low - reach - slack).all(), values
    assert (values[:, 0] <= high + reach + slack).all(), values


def run_tables(number: int, folder) -> dict[str, int]:
    """Check this many random tables; return the number of each outcome."""
    ended = {"refused": 0, "forecast": 0}

    @settings(
        max_examples=number, deadline=None, database=None, derandomize=number < 1000, suppress_health_check=HealthCheck
    )
    @given(tables())
    def check(content):
        place = os.path.join(folder, "case")
        shutil.rmtree(place, ignore_errors=True)
        os.mkdir(place)
        ended[check_table(content, place)] += 1

    check()
    return ended


def test_random_tables(tmp_path):
    ended = run_tables(FUZZED, tmp_path)
    assert ended["forecast"] > 0.25 * FUZZED
    assert ended["refused"] > 0.2 * FUZZED
