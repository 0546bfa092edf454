"""Read the rows of a frame or array into arrays by role: series, times, targets and covariates."""

from collections.abc import Hashable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from forecastkit.data.array_checks import (
    as_array,
    check_width,
    refuse_mixture,
    refuse_nameless,
    refuse_text,
)
from forecastkit.data.files.datetimes import is_categories, read_times
from forecastkit.data.ingest.arrow_values import without_arrow
from forecastkit.data.ingest.category_levels import level_codes
from forecastkit.data.ingest.find_keys import keyed_like
from forecastkit.data.ingest.timezones import in_zone
from forecastkit.data.memmap.dataset import MappedData
from forecastkit.data.panel import Panel
from forecastkit.data.row_labels import Places
from forecastkit.data.schema import WHERE, Schema, are_numbers, holds_times
from forecastkit.utils.arrays import parts
from forecastkit.utils.exceptions import DataWarning, InputError
from forecastkit.utils.validation import first_few, refuse
from forecastkit.utils.warn import warn_user

#: The largest size of a covariate, which networks read as float32.
LARGEST = float(np.finfo("float32").max)
#: Numbers that represent missing values in many exports: nines, and the limits of 16- and 32-bit integers.
NINES = [
    sign * round(10.0**digits - 10.0**-places, 2) for sign in (-1, 1) for digits in range(2, 8) for places in range(3)
]
SENTINELS = np.array([*NINES, -(2.0**31), 2.0**31 - 1, -(2.0**15), 2.0**15 - 1])
#: Fewest other values of a column with which a distant one is recognized.
MIN_OTHERS = 10


@dataclass(frozen=True)
class Table:
    """Unprocessed rows: entity, timestamp, and columns by role (float, NaN where missing)."""

    schema: Schema
    entity: np.ndarray
    ids: tuple
    timestamps: pd.Index | None
    target: np.ndarray
    past: np.ndarray
    known: np.ndarray
    static: np.ndarray

    @property
    def places(self) -> Places:
        return Places(self.entity, self.ids, self.timestamps)


def to_pandas(data):
    """Return data as a pandas object if narwhals supports it, and the name of its library."""
    if isinstance(data, (pd.DataFrame, pd.Series)):
        return without_arrow(data) if _has_arrow(data) else data, "pandas"
    if isinstance(data, (np.ndarray, list, tuple)) or data is None:
        return data, "pandas"
    import narwhals.stable.v2 as nw

    native = nw.from_native(data, pass_through=True, eager_only=True, allow_series=True)
    if native is data:
        return data, "pandas"
    return native.to_pandas(), native.implementation.value


def _has_arrow(data):
    """Return whether Arrow stores a column or a level of the index."""
    index = data.index.levels if isinstance(data.index, pd.MultiIndex) else [data.index]
    columns = data.dtypes if isinstance(data, pd.DataFrame) else [data.dtype]
    return any(isinstance(dtype, pd.ArrowDtype) for dtype in (*columns, *(level.dtype for level in index)))


def read_rows(
    schema: Schema,
    X,
    y=None,
    future: bool = False,
    follow: Panel | None = None,
    static: bool = False,
    remembered: Panel | None = None,
) -> Table:
    """Return the rows of `X` (and `y`) by role, in their order; `future` rows need no targets and past covariates.

    Static covariates of future rows are read only with `static`; other rows need none if all their series are
    `remembered`. Ambiguous local times may be resolved by the panel that the rows `follow`.
    """
    if isinstance(X, MappedData):
        refuse(WHERE, "mapped data are for fit and backtests of unfitted models", repr(X), "Give a frame here.")
    if isinstance(X, Panel):
        refuse(WHERE, "rows to forecast must be a frame or an array", "a Panel")
    X, y = framed(to_pandas(X)[0], y), to_pandas(y)[0]
    if isinstance(X, pd.DataFrame):
        X = keyed_like(schema, X)
    frame = _as_frame(X, schema)
    _check_columns(frame, schema, future, remembered is not None)
    if not len(frame):
        refuse(WHERE, "there must be rows", "0 rows")
    entity, ids = _entities(frame, schema)
    timestamps = _timestamps(frame, schema, y)
    if schema.timezone is not None and timestamps is not None:
        timestamps = in_zone(timestamps, Places(entity, ids, timestamps), schema.timezone, follow)
    places = Places(entity, ids, timestamps)
    return Table(
        schema,
        entity,
        ids,
        timestamps,
        _blank(len(frame), len(schema.target)) if future else _targets(X, y, schema, frame, places),
        _blank(len(frame), schema.width(schema.past)) if future else covariates(frame, schema, schema.past, places),
        covariates(frame, schema, schema.known, places),
        _static(frame, schema if static or not future else replace(schema, static=()), places, remembered),
    )


def _static(frame, schema, places, remembered):
    """Return static covariates (n_series, width); values that are not given are those remembered of the series."""
    lacking = [name for name in schema.static if name not in frame.columns]
    frame = frame.reindex(columns=[*frame.columns, *lacking]) if lacking else frame
    given = static_covariates(frame, schema, places)
    if remembered is None or not schema.static:
        return given
    at = remembered.places(places.ids)
    if lacking and (at < 0).any():
        new = first_few(repr(name) for name, place in zip(places.ids, at, strict=True) if place < 0)
        rule = f"series that were not seen at fit must have the static columns {first_few(map(repr, lacking))}"
        refuse(WHERE, rule, f"none of {new}")
    return np.where(np.isnan(given) & (at >= 0)[:, None], remembered.static[at], given)


def _blank(rows, columns):
    return np.full((rows, columns), np.nan, dtype="float32")


def framed(X, y):
    """Return a Series of many series or of a covariate as a frame of one column; arrays are unchanged."""
    if isinstance(X, pd.Series) and (y is not None or isinstance(X.index, pd.MultiIndex)):
        return X.to_frame(X.name if X.name is not None else "y" if y is None else "x0")
    return X if isinstance(X, (pd.DataFrame, pd.Series)) else as_array(X)


def _as_frame(X, schema):
    """Return arrays and Series as a frame with the names of the schema."""
    if isinstance(X, pd.DataFrame):
        return X
    if isinstance(X, pd.Series):
        return X.to_frame(schema.target[0] if not schema.supervised else (*schema.known, *schema.past)[0])
    if schema.is_panel or not schema.indexed:
        refuse_nameless(first_few(repr(name) for name in (*schema.series_keys, schema.time) if name is not None))
    names = schema.known + schema.past if schema.supervised else schema.target
    values = X[:, None] if X.ndim == 1 and not schema.supervised else X
    check_width(values, len(names), WHERE)
    if schema.supervised and schema.form == "array":
        names = tuple(f"x{i}" for i in range(len(names)))
    return pd.DataFrame(values, columns=list(names), copy=False)


def _check_columns(frame, schema, future, remembers):
    needed = [*schema.known]
    if not future:
        needed += [*(() if remembers else schema.static), *schema.past, *(() if schema.supervised else schema.target)]
    needed += [name for name in schema.series_keys if name not in frame.index.names]
    if not schema.indexed and schema.time is not None:
        needed.append(schema.time)
    lacking = [c for c in needed if c not in frame.columns]
    if lacking:
        got = f"none named {first_few(map(repr, lacking))} among {first_few(map(repr, frame.columns), 8)}"
        refuse(WHERE, f"the columns seen at fit must be present: {first_few(map(repr, needed), 8)}", got)
    check_names(frame)


def check_names(frame):
    """Refuse column names that are repeated, or booleans, with which pandas would select rows."""
    if not isinstance(frame, pd.DataFrame):
        return
    if (repeated := frame.columns[frame.columns.duplicated()].unique()).size:
        refuse(WHERE, "column names must be unique", f"{first_few(map(repr, repeated))} more than once", "Rename them.")
    if boolean := [name for name in frame.columns if isinstance(name, (bool, np.bool_))]:
        refuse(WHERE, "column names must not be booleans", first_few(map(repr, boolean)), "Rename them.")


def _entities(frame, schema):
    """Return the series number of each row, and series names in order of appearance, as tuples for several columns."""
    if schema.series_id is None:
        return np.zeros(len(frame), dtype="int8"), (None,)
    coded = [_codes_of(column_of(frame, name), name) for name in schema.series_keys]
    if len(coded) == 1:
        codes, ids = coded[0]
        return codes, tuple(ids.tolist())
    joint = np.zeros(len(frame), dtype="int64")
    for codes, ids in coded:
        joint = joint * len(ids) + codes
    joint = pd.factorize(joint)[0]
    first = np.unique(joint, return_index=True)[1]
    return joint, tuple(zip(*(ids[codes[first]].tolist() for codes, ids in coded), strict=True))


def _codes_of(column, name):
    """Return the codes of a column of names, and the names in order of appearance."""
    try:
        codes, ids = _numbered(column) if is_categories(column) else pd.factorize(column)
    except TypeError:
        example = next(value for value in column if not isinstance(value, Hashable))
        refuse(WHERE, f"names of series in {name!r} must be hashable", repr(example), "Make them text.")
    if (nameless := codes < 0).any():
        got = f"{nameless.sum()} without: row {first_few(np.flatnonzero(nameless))}"
        refuse(WHERE, f"every row must name its series in {name!r}", got)
    return codes, ids


def _numbered(column):
    """Factorize categories with codes of the same integer type as theirs."""
    codes = column.array.codes
    appeared = pd.unique(np.concatenate([pd.unique(codes[part]) for part in parts(len(codes))]))
    appeared = appeared[appeared >= 0]
    if not np.array_equal(appeared, np.arange(len(appeared))):
        place = np.full(len(column.cat.categories) + 1, -1, dtype=codes.dtype)
        place[appeared] = np.arange(len(appeared))
        codes = place[codes]
    return codes, column.cat.categories[appeared]


def _timestamps(frame, schema, y):
    """Return the times of the rows from a column or the index of X or y; None without times."""
    if not schema.indexed:
        return times(frame[schema.time], schema.time, schema.date_order)
    index = frame.index
    if isinstance(index, pd.MultiIndex):
        return None if schema.time is None else times(index.get_level_values(schema.time), schema.time)
    times_of_y = y.index if isinstance(y, (pd.Series, pd.DataFrame)) and holds_times(y.index) else None
    if holds_times(index):
        if times_of_y is not None and not times_of_y.equals(index):
            refuse(WHERE, "X and y must have the same times, row by row", "two different indexes", "Align them.")
        return times(index, "the index")
    if times_of_y is not None:
        return times(times_of_y, "the index of y")
    if schema.time is not None and schema.time in frame.columns:  # a column of the name that the index had at fit
        return times(frame[schema.time], schema.time, schema.date_order)
    plain = isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1
    if plain or schema.form == "array" or (schema.is_panel and schema.time is None):
        return None
    if pd.api.types.is_integer_dtype(index.dtype):
        _refuse_digits(index)
        return index
    remedy = "Name the time column with time=, or make the index one with pandas.to_datetime."
    return refuse(WHERE, "the index must contain times or whole numbers", f"dtype {index.dtype}", remedy)


def _refuse_digits(index: pd.Index) -> None:
    """Refuse whole numbers that are digits of dates, which would have gaps between months or years."""
    whole, steps = np.unique(index), np.diff(np.unique(index))
    for form, low, month in (("%Y%m%d", 19_000_101, whole // 100), ("%Y%m", 190_001, whole)):
        dated = len(whole) and whole.min() >= low and whole.max() < 2.2 * low / 1.9 and (steps > 1).any()
        if (
            dated
            and (month % 100 >= 1).all()
            and (month % 100 <= 12).all()
            and pd.notna(pd.to_datetime(whole.astype(str), format=form, errors="coerce")).all()
        ):
            got = f"{whole[0]} to {whole[-1]}, which look like dates"
            remedy = f"Convert it: pandas.to_datetime(index.astype(str), format={form!r})."
            refuse(WHERE, "the index must hold times, or whole numbers that count the rows", got, remedy)


def _targets(X, y, schema, frame, places):
    if not schema.supervised:
        if isinstance(X, (pd.DataFrame, pd.Series)):
            return numeric(frame[list(schema.target)], "target", places)
        values = np.asarray(X)
        return numeric_array(values[:, None] if values.ndim == 1 else values, "target", schema.target, places)
    if y is None:
        refuse(WHERE, "rows must come as X and y, as at fit", "X alone")
    y = y if isinstance(y, (pd.Series, pd.DataFrame)) else as_array(y)
    if len(y) != len(frame):
        refuse(WHERE, "X and y must have the same number of rows", f"{len(frame)} and {len(y)}")
    y = y.to_frame() if isinstance(y, pd.Series) else y[:, None] if y.ndim == 1 else y
    if y.shape[1] != len(schema.target):
        refuse(WHERE, f"y must have the {len(schema.target)} column(s) seen at fit", f"{y.shape[1]}")
    if isinstance(y, pd.DataFrame):
        return numeric(y, "target", places)
    return numeric_array(y, "target", schema.target, places)


def numeric_array(values: np.ndarray, what: str, names: tuple, places: Places) -> np.ndarray:
    """Return a numeric array as a new float32 or float64 array of shape (rows, columns)."""
    if values.dtype == object or values.dtype.kind not in "fiub":
        return numeric(pd.DataFrame(values, columns=list(names)), what, places)
    values = np.array(values, dtype="float32" if values.dtype == np.float32 else "float64", order="C")
    _check_finite(values, what, names, places)
    return values


def numeric(frame: pd.DataFrame, what: str, places: Places) -> np.ndarray:
    """Return columns as a new float array; text and infinite values are refused with the first invalid cell."""
    for name, column in frame.items():
        if not are_numbers(column):
            refuse_text(column, f"the {what} {name!r}", places)
    dtype = "float32" if len(frame.columns) and all(d == np.float32 for d in frame.dtypes) else "float64"
    if any(map(pd.api.types.is_object_dtype, frame.dtypes)):
        # numpy cannot cast pd.NA, which pandas leaves alone in object columns.
        frame = frame.mask(frame.isna(), np.nan)
    values = frame.to_numpy(dtype=dtype, na_value=np.nan, copy=True)
    _check_finite(values, what, frame.columns, places)
    return values


def _check_finite(values, what, names, places):
    infinite = np.isinf(values)
    if infinite.any():
        column = int(infinite.any(axis=0).argmax())
        got = places.count(infinite[:, column], "infinite", "infinite")
        refuse(WHERE, f"the {what} {names[column]!r} must be finite", got, "Blank them: missing is masked.")
    if len(values):
        _warn_sentinels(values, what, names, places)


def _warn_sentinels(values, what, names, places):
    """Warn of numbers such as -999 that are far from all others of a column and may represent missing values.

    A number is one of `SENTINELS`, or a negative whole number that several rows share.
    """
    sentinels = SENTINELS.astype(values.dtype)
    extremes = np.fmin.reduce(values, axis=0), np.fmax.reduce(values, axis=0)
    shared = (extremes[0] < 0) & (extremes[0] == np.round(extremes[0])) & ((values == extremes[0]).sum(axis=0) > 1)
    for column in np.flatnonzero(np.any([shared, *(np.isin(extreme, sentinels) for extreme in extremes)], axis=0)):
        cells = values[:, column]
        marks = np.isin(cells, sentinels) | (shared[column] & (cells == extremes[0][column]))
        others = cells[~marks & ~np.isnan(cells)]
        if len(others) < MIN_OTHERS:
            continue
        low, high = others.min(), others.max()
        for mark in np.unique(cells[marks]):
            if low == high and mark not in sentinels:
                continue  # two values, such as -1 and 1
            if max(low - mark, mark - high) > max(high - low, abs(mark) / 2):
                got = places.count(cells == mark, "cell", "cells")
                warn_user(
                    f"{WHERE}: the {what} {names[column]!r} is {mark:g} in {got}, and between {low:g} and {high:g} "
                    "in all others. Blank these cells if the number stands for a missing value.",
                    DataWarning,
                )


def covariates(frame: pd.DataFrame, schema: Schema, names: tuple, places: Places) -> np.ndarray:
    """Return covariates as float32 (rows, schema.width(names)), with categories as 0/1 columns or as codes."""
    for name in schema.categories.keys() & set(names):
        refuse_mixture(frame[name], places)
    parts = [
        _codes(frame[name], schema.categories[name])
        if name in schema.coded
        else _one_covariate(frame[name], schema.categories.get(name), places)
        for name in names
    ]
    return np.concatenate(parts, axis=1) if parts else np.zeros((len(frame), 0), dtype="float32")


def _one_covariate(column, levels, places):
    if levels is None:
        values = numeric(column.to_frame(), "covariate", places)
        if (beyond := np.abs(values) > LARGEST).any():
            got = places.count(beyond[:, 0], "beyond", "beyond")
            refuse(WHERE, f"the covariate {column.name!r} must lie within ±{LARGEST:.1e}", got, "Rescale it.")
        return values.astype("float32")
    known, unknown = (levels[:-1], len(levels) - 1) if levels[-1:] == (None,) else (levels, -1)
    codes = level_codes(column, known)
    out = (np.where(codes < 0, unknown, codes)[:, None] == np.arange(len(levels))).astype("float32")
    if unknown < 0 and len(levels):  # no such class in training: an unknown level is a mixture of all
        out[codes < 0] = 1 / len(levels)
        out[column.isna().to_numpy()] = np.nan
    return out


def _codes(column, levels):
    """Return the codes of levels, counted from 1, as a column: 0 for unknown levels, NaN for missing ones."""
    codes = level_codes(column, levels) + np.float32(1)
    return np.where(column.isna(), np.float32(np.nan), codes.astype("float32"))[:, None]


def static_covariates(frame: pd.DataFrame, schema: Schema, places: Places) -> np.ndarray:
    """Return static covariates as float32 (entities, features); rows of a series that differ are refused."""
    values, entity = covariates(frame, schema, schema.static, places), places.entity
    out = np.full((len(places.ids), values.shape[1]), np.nan, dtype="float32")
    if values.shape[1]:
        # A number may be given in some rows of its series only.
        for column in range(values.shape[1]):
            np.fmax.at(out[:, column], entity, values[:, column])
        changed = ((values != out[entity]) & ~np.isnan(values)).any(axis=1)
        if changed.any():
            rule = f"static columns {first_few(schema.static)} must not change within a series"
            refuse(WHERE, rule, places.count(changed, "change", "changes"), "Pass them in known= or past=.")
    return out


def column_of(frame: pd.DataFrame, name) -> pd.Series:
    """Return a column, or a level of the index as a column."""
    if name in frame.columns:
        return frame[name]
    return frame.index.get_level_values(name).to_series(index=frame.index)


def times(column: pd.Series | pd.Index, name, order: str = "") -> pd.Index:
    """Return times or whole numbers as an index without missing values; dates in text are read in this `order`."""
    if (blank := np.asarray(column.isna())).any():
        got = f"{int(blank.sum())} without: row {first_few(np.flatnonzero(blank))}"
        refuse(WHERE, f"every row must have a time in {name!r}", got)
    if pd.api.types.is_integer_dtype(column.dtype):
        if order:  # such as years, which were read as times at fit
            read = read_times(pd.Series(column), f"{WHERE}: the time column {name!r}", order).values
            return pd.Index(read.to_numpy(), name=name)
        return pd.Index(column).astype("int64")
    if isinstance(column.dtype, pd.PeriodDtype):
        return pd.PeriodIndex(column)
    if pd.api.types.is_numeric_dtype(column.dtype):
        refuse(WHERE, f"the time column {name!r} must contain times or whole numbers", f"{column.dtype}")
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return pd.DatetimeIndex(column.array, copy=False, name=column.name)
    if pd.api.types.infer_dtype(column) == "string":
        return pd.DatetimeIndex(read_times(pd.Series(column), f"{WHERE}: the time column {name!r}", order).values)
    try:
        return pd.DatetimeIndex(pd.to_datetime(column, format="mixed"))
    except (ValueError, TypeError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise InputError(f"{WHERE}: the time column {name!r} must contain times, got {reason}.") from error
