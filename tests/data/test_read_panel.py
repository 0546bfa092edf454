"""Every form of data gives the same panel; invalid data are refused in one sentence."""

from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from conftest import wave
from hypothesis import given, settings
from hypothesis import strategies as st

from forecastkit.data.ingest.read_panel import read_more, read_panel
from forecastkit.utils.exceptions import InputError

ROWS = 40
VALUES = wave(ROWS)
TIMES = pd.date_range("2024-01-01", periods=ROWS, freq="h")
LONG = pd.DataFrame({"unique_id": np.repeat(["b", "a"], ROWS), "ds": np.tile(TIMES, 2), "y": [*VALUES, *-VALUES]})
K = np.arange(ROWS, dtype=float)


def door(*args, **kwargs):
    return read_panel(*args, **kwargs)


# ---------------------------------------------------------------------------------------------- forms

SINGLE = {
    "array": VALUES,
    "list": VALUES.tolist(),
    "float32 array": VALUES.astype("float32"),
    "column": VALUES[:, None],
    "Series": pd.Series(VALUES),
    "Series with times": pd.Series(VALUES, index=TIMES, name="load"),
    "Series named 7": pd.Series(VALUES, name=7),
    "Series with whole numbers": pd.Series(VALUES, index=np.arange(ROWS) * 2 + 10),
    "frame": pd.DataFrame({"load": VALUES}),
    "frame with times": pd.DataFrame({"load": VALUES}, index=TIMES),
    "frame with a time column": pd.DataFrame({"when": TIMES, "load": VALUES}),
    "frame with periods": pd.DataFrame({"load": VALUES}, index=pd.period_range("2000", periods=ROWS, freq="M")),
    "frame with a zone": pd.DataFrame({"load": VALUES}, index=TIMES.tz_localize("Europe/Berlin")),
    "frame of objects": pd.DataFrame({"load": VALUES.astype(object)}),
    "polars": pl.DataFrame({"when": TIMES, "load": VALUES}),
    "polars series": pl.Series("load", VALUES),
    "pyarrow": pa.table({"when": TIMES, "load": VALUES}),
}


@pytest.mark.parametrize("form", SINGLE)
def test_one_series_in_every_form(form):
    panel, schema = door(SINGLE[form])
    np.testing.assert_allclose(panel.target[:, 0], VALUES, rtol=1e-6)
    assert (panel.ids, panel.channels, panel.rows) == ((None,), 1, ROWS)
    assert len(schema.target) == 1
    assert not schema.is_panel


PANELS = {
    "unique_id": LONG,
    "another name": (LONG.rename(columns={"unique_id": "shop"}), {"series_id": "shop"}),
    "MultiIndex": LONG.set_index(["unique_id", "ds"]),
    "MultiIndex, time first": LONG.rename(columns={"unique_id": "shop"}).set_index(["ds", "shop"]),
    "Series with a MultiIndex": LONG.set_index(["unique_id", "ds"])["y"],
    "times in the index": LONG.set_index("ds"),
    "names in the index": LONG.set_index("unique_id"),
    "categories": LONG.astype({"unique_id": "category"}),
    "texts as times": (LONG.assign(ds=LONG["ds"].astype(str)), {}),
    "shuffled": LONG.sample(frac=1, random_state=0).sort_values("unique_id", ascending=False, kind="stable"),
    "polars": pl.from_pandas(LONG),
    "pyarrow": pa.Table.from_pandas(LONG, preserve_index=False),
}


@pytest.mark.parametrize("form", PANELS)
def test_a_long_panel_in_every_form(form):
    data, options = PANELS[form] if isinstance(PANELS[form], tuple) else (PANELS[form], {})
    panel, schema = door(data, **options)
    assert panel.ids == ("b", "a")
    assert schema.is_panel
    np.testing.assert_allclose(panel.target[:, 0], LONG["y"])
    assert panel.grid.name == "hourly"


def test_a_panel_without_times_counts_rows():
    panel, _ = door(LONG.drop(columns="ds").sample(frac=1, random_state=1).sort_values("unique_id", kind="stable"))
    assert panel.start.tolist() == [0, 0]
    assert panel.lengths.tolist() == [ROWS, ROWS]


SUPERVISED = {
    "arrays": (K[:, None], VALUES),
    "lists": (K[:, None].tolist(), VALUES.tolist()),
    "frame and Series": (pd.DataFrame({"k": K}, index=TIMES), pd.Series(VALUES, index=TIMES)),
    "frame and array": (pd.DataFrame({"k": K}, index=TIMES), VALUES),
    "array and Series": (K[:, None], pd.Series(VALUES, index=TIMES)),
    "frame and frame": (pd.DataFrame({"k": K}), pd.DataFrame({"y": VALUES})),
    "Series and Series": (pd.Series(K, index=TIMES, name="k"), pd.Series(VALUES, index=TIMES)),
    "polars": (pl.DataFrame({"when": TIMES, "k": K}), pl.Series("y", VALUES)),
}


@pytest.mark.parametrize("form", SUPERVISED)
def test_x_with_y_in_every_form(form):
    panel, schema = door(*SUPERVISED[form])
    assert schema.supervised
    np.testing.assert_allclose(panel.known[:, 0], K)
    np.testing.assert_allclose(panel.target[:, 0], VALUES)
    assert panel.grid.is_time == (form not in ("arrays", "lists", "frame and frame"))


def test_past_columns_of_x():
    both = np.stack([K, -K], axis=1)
    panel, schema = door(both, VALUES, past=1)
    assert (schema.known, schema.past) == (("x0",), ("x1",))
    np.testing.assert_allclose(panel.past[:, 0], -K)


@given(st.permutations(range(ROWS)), st.sets(st.integers(0, ROWS - 1), max_size=20))
@settings(max_examples=30, deadline=None)
def test_order_and_missing_rows_do_not_change_other_rows(order, dropped):
    kept = [row for row in order if row not in dropped]
    frame = pd.DataFrame({"a": VALUES, "b": -VALUES}, index=TIMES).iloc[kept]
    panel, _ = door(frame, freq="h")
    expected = pd.DataFrame({"a": VALUES, "b": -VALUES}).iloc[sorted(kept)].reindex(range(min(kept), max(kept) + 1))
    np.testing.assert_array_equal(panel.target, expected.to_numpy())


def test_the_panel_shares_no_memory_with_the_data():
    for data in (VALUES.copy(), pd.DataFrame({"a": VALUES.copy()}), pd.Series(VALUES.copy())):
        panel, _ = door(data)
        assert not np.shares_memory(panel.target, np.asarray(data))


def test_float32_stays_float32():
    assert door(VALUES.astype("float32"))[0].target.dtype == np.float32
    assert door(VALUES.astype("float16"))[0].target.dtype == np.float64


def test_missing_values_and_nullable_dtypes():
    frame = pd.DataFrame({"a": pd.array([1, None] * 20, dtype="Int64"), "b": [Decimal(1), None] * 20}, index=TIMES)
    panel, _ = door(frame)
    assert np.isnan(panel.target[1::2]).all()
    assert (panel.target[::2] == 1).all()


# ---------------------------------------------------------------------------------------------- covariates


def test_categories_become_levels():
    frame = pd.DataFrame(
        {
            "shop": pd.Categorical(["s", "m"] * 20, categories=["s", "m", "l"]),
            "day": ["mon", "tue"] * 20,
            "open": [True, False] * 20,
            "temp": K,
        },
        index=TIMES,
    )
    panel, schema = door(frame, VALUES)
    assert schema.categories == {"shop": ("s", "m", "l"), "day": ("mon", "tue")}
    assert panel.known[:2].tolist() == [[1, 0, 0, 1, 0, 1, 0], [0, 1, 0, 0, 1, 0, 1]]
    later = frame.iloc[:3].assign(day=["wed", None, "tue"])
    with pytest.warns(UserWarning, match="1 row of 'day' with a level not seen at fit: 'wed'; taken as unknown"):
        more = read_more(schema, panel.grid, later, VALUES[:3])
    np.testing.assert_array_equal(more.known[:, 3:5], [[0.5, 0.5], [np.nan, np.nan], [0, 1]])


def test_static_columns_are_one_row_per_series():
    frame = LONG.assign(size=np.repeat([3.0, 5.0], ROWS))
    frame.loc[4, "size"] = np.nan
    panel, schema = door(frame, static="size")
    assert schema.target == ("y",)
    assert panel.static.tolist() == [[3], [5]]
    frame.loc[7, "size"] = 4.0
    with pytest.raises(
        InputError, match=r"static columns size must not change within a series, got .*'b' at 2024-01-01"
    ):
        door(frame, static="size")


def test_columns_without_a_role_are_reported():
    frame = pd.DataFrame({"load": VALUES, "wind": K, "note": "x"}, index=TIMES)
    with pytest.warns(UserWarning, match="Panel:") as said:
        _, schema = door(frame, target="load")
    assert [str(one.message).split(". Name")[0] for one in said] == [
        "Panel: unused columns: 'note' (text, the same in all rows)",
        "Panel: taken as past covariates, known up to the cutoff only: 'wind'",
    ]
    assert {one.filename for one in said} == {__file__}
    assert (schema.target, schema.past) == (("load",), ("wind",))


# ---------------------------------------------------------------------------------------------- refusals

WIDE = pd.DataFrame({"load": VALUES, "temp": K}, index=TIMES)
INFINITE = VALUES.copy()
INFINITE[7] = np.inf
REFUSED = {
    "nothing": ((None,), {}, "got None"),
    "a text": (("load.csv",), {}, "must be a frame, a Series, or an array.*got 'load.csv'"),
    "three dimensions": ((np.zeros((4, 4, 4)),), {}, "got 3 dimensions. Windows are cut internally"),
    "no rows": (([],), {}, "there must be rows"),
    "no columns": ((WIDE[[]],), {}, "a frame must have a column to forecast"),
    "only keys": ((LONG[["unique_id", "ds"]],), {}, "a frame must have a column to forecast"),
    "text": ((WIDE.assign(load="x"),), {}, "the target 'load' must be numeric, got (object|str), for instance 'x'"),
    "one text": (
        (WIDE.assign(load=[*K[:-1], "x"]),),
        {},
        "'load' must be numeric, got 1 cell that is not, 'x': 2024-01-02 15:00:00. Replace them by numbers",
    ),
    "texts in a panel": (
        (LONG.assign(y=[*K, *K[:-4], *"xyzx"]),),
        {},
        "numeric, got 4 cells that are not, for instance 'x': .a. at 2024-01-02 .*, ... and 1 more",
    ),
    "numbers and classes": (
        (WIDE.assign(temp=[*K[:-1], "warm"]),),
        {"target": "load", "known": "temp"},
        "'temp' must contain either numbers or classes, got both: 1 cell of text: 2024-01-02 15:00:00",
    ),
    "a text array": ((np.array(["x", "y"]),), {}, "the target 'y' must be numeric"),
    "complex": ((VALUES + 1j,), {}, "must be numeric, got complex128"),
    "dates": ((WIDE.assign(load=TIMES, other=TIMES),), {}, "the target 'load' must be numeric, got datetime64"),
    "infinity": ((INFINITE,), {}, "the target 'y' must be finite, got 1 infinite: row 7. Blank them"),
    "infinity in a panel": (
        (LONG.assign(y=[np.inf] * 4 + [1.0] * (2 * ROWS - 4)),),
        {},
        "the target 'y' must be finite, got 4 infinite: 'b' at 2024-01-01 00:00:00, .* and 1 more",
    ),
    "infinity in X": ((INFINITE[:, None], VALUES), {}, "the covariate 'x0' must be finite"),
    "dates in X": (
        (pd.DataFrame({"d": TIMES, "e": TIMES}), VALUES),
        {},
        "one column must contain the times, got 'd', 'e'. Name it with time=",
    ),
    "more dates in X": (
        (pd.DataFrame({"d": TIMES}, index=TIMES), VALUES),
        {},
        "the covariate 'd' must be numeric",
    ),
    "doubles": ((pd.concat([WIDE, WIDE[:5]]),), {}, r"must be one row, got 5 duplicates: 2024-01-01 00:00:00.* 2 more"),
    "doubles in a panel": ((pd.concat([LONG, LONG[:1]]),), {}, r"'b' at 2024-01-01.*If clocks change, set timezone="),
    "a blank time": (
        (LONG.assign(ds=LONG["ds"].where(LONG.index != 3)),),
        {},
        "every row must have a time in 'ds', got 1 without: row 3",
    ),
    "no time": (
        (LONG.assign(ds="soon"),),
        {},
        "the time column 'ds': every cell must be a time, such as .*, got 'soon' in row 1",
    ),
    "numbers as times": ((LONG.assign(ds=0.5),), {}, "the time column 'ds' must contain times or whole numbers"),
    "a blank name": (
        (LONG.replace({"unique_id": {"a": None}}),),
        {},
        "every row must name its series in 'unique_id', got 40 without: row 40, 41, 42, ... and 37 more",
    ),
    "an odd index": (
        (WIDE.set_axis([f"r{i}" for i in range(ROWS)]),),
        {},
        "the index must contain times or whole numbers",
    ),
    "levels without names": ((LONG.set_index(["unique_id", "ds"]).rename_axis([None, None]),), {}, "must have names"),
    "digits of dates": (
        (pd.Series(1.0, index=[20240130, 20240131, 20240201]),),
        {},
        "got 20240130 to 20240201, which look like dates. Convert it: pandas.to_datetime",
    ),
    "digits of months": ((pd.Series(1.0, index=[202311, 202312, 202401]),), {}, "format='%Y%m'"),
    "series in a list": (
        ([pd.Series([1.0, 2.0]), pd.Series([1.0])],),
        {},
        "rows of an array must be numbers, got a list of Series. Join",
    ),
    "a structured array": ((np.zeros(3, dtype=[("t", "M8[s]"), ("y", "f8")]),), {}, "got a structured array. Pass"),
    "a far row": ((pd.Series([1.0, 2, 3], index=[0, 1, 10**9]),), {}, "at least a fiftieth"),
    "an unknown target": ((WIDE,), {"target": "lood"}, "named in target= must exist, got 'lood'. Did you mean 'load'?"),
    "an unknown known": ((WIDE,), {"known": "tempp"}, "named in known= must exist.*Did you mean 'temp'?"),
    "an unknown time": ((WIDE,), {"time": "when"}, "named in time= must exist, got 'when'"),
    "two roles": ((WIDE,), {"target": "temp", "known": "temp"}, "a target cannot have another role too"),
    "target with y": ((WIDE, VALUES), {"target": "load"}, "y must not be given with it"),
    "one-dimensional X": ((VALUES, VALUES), {}, "X must have two dimensions.*Reshape your data"),
    "unequal rows": ((WIDE, VALUES[:5]), {}, "the same number of rows, got 40 and 5"),
    "unequal times": ((WIDE, pd.Series(VALUES, index=TIMES[::-1])), {}, "X and y must have the same times"),
    "doubled columns": ((WIDE.set_axis(["a", "a"], axis=1),), {}, "column names must be unique"),
}
for name in ("forecast", "cutoff", "actual", "target", "step"):
    renamed = LONG.rename(columns={"ds": name})
    REFUSED[f"time called {name}"] = ((renamed,), {"time": name}, f"are reserved for results, got '{name}'")
    renamed = LONG.rename(columns={"unique_id": name})
    REFUSED[f"series called {name}"] = ((renamed,), {"series_id": name, "time": "ds"}, f"got '{name}'")
    REFUSED[f"target called {name}"] = ((LONG.rename(columns={"y": name}),), {}, f"got '{name}'")
    REFUSED[f"index called {name}"] = ((WIDE.rename_axis(name),), {}, f"got '{name}'")


@pytest.mark.parametrize("what", REFUSED)
def test_refused(what):
    args, options, sentence = REFUSED[what]
    with pytest.raises(InputError, match=sentence) as refusal:
        door(*args, **options)
    assert "\n" not in str(refusal.value)


def test_days_before_months_are_found_from_the_whole_column():
    days = pd.date_range("2024-01-01", periods=40)
    given = pd.DataFrame({"day": days.strftime("%d/%m/%Y"), "y": np.arange(40.0)})
    panel = door(given, time="day")[0]
    assert panel.grid.timestamps(panel.ordinal_at(np.zeros(40, "int64"), np.arange(40))).tolist() == days.tolist()
    assert panel.rows == 40


def test_wide_targets_may_have_any_name():
    _, schema = door(WIDE.rename(columns={"load": "forecast", "temp": "target"}))
    assert schema.target == ("forecast", "target")


# ---------------------------------------------------------------------------------------------- more of the same


def test_rows_without_times_follow_their_own_series():
    ragged = LONG.drop(columns="ds").iloc[:-10]
    panel, schema = door(ragged)
    more = read_more(schema, panel.grid, ragged.groupby("unique_id").tail(2), follow=panel)
    assert dict(zip(more.ids, more.start, strict=True)) == {"b": ROWS, "a": ROWS - 10}


@pytest.mark.parametrize(
    ("later", "sentence"),
    [
        (
            WIDE[["load"]],
            r"the columns seen at fit must be present: 'load', 'temp', got none named 'temp' among 'load'",
        ),
        (WIDE.set_axis(TIMES + pd.Timedelta("30min")), r"must lie on the grid seen at fit \(hourly\), got 40 off it"),
        (WIDE.set_axis(np.arange(1, ROWS + 1)), "times must be of the kind seen at fit"),
    ],
)
def test_further_rows_of_another_kind_are_refused(later, sentence):
    panel, schema = door(WIDE)
    with pytest.raises(InputError, match=sentence):
        read_more(schema, panel.grid, later)


def test_a_large_panel_is_read_in_seconds():
    frame = pd.concat([LONG] * 50, ignore_index=True)
    frame["unique_id"] = np.repeat(np.arange(100), ROWS)
    panel, _ = door(frame.sample(frac=1, random_state=0))
    assert panel.rows == len(frame)


ODD = pd.date_range("2024-01-01", periods=40)


@pytest.mark.parametrize(
    ("frame", "roles", "sentence"),
    [
        (
            pd.DataFrame({True: np.arange(40.0), False: 1.0}, index=ODD),
            {},
            "column names must not be booleans, got True",
        ),
        (
            pd.DataFrame(np.ones((40, 3)), columns=["y", "x", "x"], index=ODD),
            {"target": "y", "known": "x"},
            "column names must be unique, got 'x' more than once",
        ),
        (
            pd.DataFrame({"y": np.arange(40.0), "ds": ODD, "s": [[1]] * 40}),
            {"target": "y", "time": "ds", "series_id": "s"},
            r"names of series in 's' must be hashable, got \[1\]",
        ),
        (
            pd.DataFrame({("", "Date"): ODD.astype(str), ("North", "Sales"): 1.0, ("South", "Sales"): 2.0}),
            {},
            r"columns must have one level of names, got a time called \('', 'Date'\)\. Join them",
        ),
        (
            pd.DataFrame({"ds": ODD, "y": ["10.64", "9.99", "<0.5", "7"] * 10}),
            {},
            "numeric, got str, for instance '<0.5'",
        ),
        (
            pd.Series(np.arange(40.0), index=np.arange(40, dtype="uint64") + np.uint64(2**63)),
            {},
            r"whole-number times must lie within ±1e\+18",
        ),
    ],
    ids=[
        "boolean names",
        "repeated names",
        "unhashable series",
        "two lines of names",
        "an odd cell",
        "times of 64 bits",
    ],
)
def test_unusual_names_and_times_are_refused(frame, roles, sentence):
    with pytest.raises(InputError, match=sentence):
        read_panel(frame, **roles)


@pytest.mark.parametrize("position", [0, 7])
def test_missing_values_of_pandas_in_object_columns_are_missing(position):
    cells = [float(number) for number in range(20)]
    cells[position] = pd.NA
    for data in (cells, pd.DataFrame({"y": pd.Series(cells, dtype=object, index=ODD[:20])})):
        panel, _ = read_panel(data)
        assert np.flatnonzero(np.isnan(panel.target[:, 0])).tolist() == [position]
        assert panel.target[8, 0] == 8


ARROW = {
    "date32": lambda times: times.dt.date.astype("date32[pyarrow]"),
    "timestamp": lambda times: times.astype("timestamp[us][pyarrow]"),
    "text": lambda times: times.dt.strftime("%Y-%m-%d").astype("string[pyarrow]"),
}


@pytest.mark.filterwarnings("ignore::forecastkit.DataWarning")
@pytest.mark.parametrize("kind", ARROW)
def test_frames_that_arrow_stores_are_read_like_others(kind):
    plain = pd.DataFrame(
        {"date": pd.date_range("2024-01-01", periods=20), "y": np.arange(20) % 7, "x": np.arange(20) / 3}
    )
    stored = plain.convert_dtypes(dtype_backend="pyarrow").assign(date=ARROW[kind](plain["date"]))
    stored["x"] = (plain["x"] * 100).round().astype(pd.ArrowDtype(pa.decimal128(12, 2)))
    wanted, _ = door(plain.assign(x=(plain["x"] * 100).round()), target="y", past="x")
    for frame in (stored, stored.set_index("date") if kind != "text" else stored):
        found, _ = door(frame, target="y", past="x")
        np.testing.assert_array_equal(found.target, wanted.target)
        np.testing.assert_array_equal(found.past, wanted.past)
        assert found.grid == wanted.grid


def test_a_series_and_levels_that_arrow_stores_are_read_like_others():
    plain = pd.Series(np.arange(20.0), pd.date_range("2024-01-01", periods=20))
    stored = plain.astype("double[pyarrow]").set_axis(plain.index.astype("timestamp[us][pyarrow]"))
    np.testing.assert_array_equal(door(stored)[0].target, door(plain)[0].target)
    levels = pd.concat({"a": stored, "b": 2 * stored}, names=["site", "date"])
    np.testing.assert_array_equal(
        door(levels)[0].target, door(pd.concat({"a": plain, "b": 2 * plain}, names=["site", "date"]))[0].target
    )


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            [pd.Series(np.arange(30.0))] * 12,
            "rows of an array must be numbers, got a list of Series. Join them to one long table",
        ),
        (
            [{"ds": "2024-01-01", "y": 1.0}] * 12,
            "rows of an array must be numbers, got a list of dict. Pass pandas.DataFrame",
        ),
        ({"ds": ["2024-01-01"], "y": [1.0]}, "got {'ds': .*. Pass pandas.DataFrame"),
    ],
)
def test_lists_of_series_and_of_records_are_refused(given, says):
    with pytest.raises(InputError, match=says):
        door(given)
