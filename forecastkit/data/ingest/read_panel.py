"""Read user data into a Panel, and keep a Schema for formatting results."""

from collections.abc import Hashable
from dataclasses import replace

import numpy as np
import pandas as pd

from forecastkit.data.array_checks import as_array, check_width, refuse_nameless
from forecastkit.data.files.datetimes import is_categories
from forecastkit.data.ingest import convert
from forecastkit.data.ingest.duplicates import RESAMPLING, RULES
from forecastkit.data.ingest.find_keys import find_keys, keyed_like
from forecastkit.data.ingest.given_panel import more_rows, panel_with_schema
from forecastkit.data.ingest.regularize import Table, regularize, to_regular_grid
from forecastkit.data.ingest.timezones import check_timezone, in_zone
from forecastkit.data.levels import with_levels, with_sums
from forecastkit.data.memmap.dataset import MappedData
from forecastkit.data.panel import Panel
from forecastkit.data.row_labels import Places
from forecastkit.data.schema import WHERE, Schema, find_schema, holds_times
from forecastkit.data.time_grid import TimeGrid
from forecastkit.utils.arrays import parts
from forecastkit.utils.validation import check_choice, first_few, refuse


def to_pandas(data):
    """Return data as a pandas object if narwhals supports it, and the name of its library."""
    if isinstance(data, (pd.DataFrame, pd.Series, np.ndarray, list, tuple)) or data is None:
        return data, "pandas"
    import narwhals.stable.v2 as nw

    native = nw.from_native(data, pass_through=True, eager_only=True, allow_series=True)
    if native is data:
        return data, "pandas"
    return native.to_pandas(), native.implementation.value


def read_panel(X, y=None, *, levels: bool = False, **reading) -> tuple[Panel, Schema]:
    """Read training data: find the role of each column, check every cell, and place the rows on a regular grid.

    The panel shares no memory with the data.

    Parameters
    ----------
    X, y
        As in `Forecaster.fit`.
    levels : bool
        Whether to add the sums of all levels of a hierarchy, which the columns of `series_id` form.
    **reading
        The parameters `freq`, `timezone`, `duplicates`, `resample`, `slots`, `target`, `time`, `series_id`, `known`,
        `past` and `static` of a forecaster.

    Raises
    ------
    InputError
        If there are duplicates, invalid or missing times, text or infinite targets, or unknown or reserved names.
    """
    panel, schema = _read_panel(X, y, **reading)
    return with_sums(panel, schema) if levels else (panel, schema)


def _read_panel(
    X,
    y,
    *,
    freq=None,
    timezone: str | None = None,
    duplicates: str = "refuse",
    resample: str | None = None,
    slots: str | None = None,
    **roles,
) -> tuple[Panel, Schema]:
    check_choice(WHERE, "duplicates", duplicates, RULES)
    check_choice(WHERE, "resample", resample, RESAMPLING)
    check_choice(WHERE, "slots", slots, (None, "observed", "all"))
    if timezone is not None:
        check_timezone(timezone)
    if isinstance(X, Panel):
        return panel_with_schema(
            X, y, timezone=timezone, duplicates=duplicates, resample=resample, slots=slots, **roles
        )
    if isinstance(X, MappedData):
        reading = {"timezone": timezone, "duplicates": duplicates, "resample": resample, "slots": slots}
        return X.read(y, freq=freq, **reading, **roles)
    X, library = to_pandas(X)
    y, _ = to_pandas(y)
    _check_names(X)
    X, y = _framed(X, y), None if y is None else (y if isinstance(y, (pd.Series, pd.DataFrame)) else as_array(y))
    layout = {}
    if isinstance(X, pd.DataFrame):
        X, roles, layout = find_keys(X, y, roles, duplicates)
    found = find_schema(X, y, roles, library)
    schema = replace(found, timezone=timezone, duplicates=duplicates, resample=resample, **layout)
    return to_regular_grid(read_rows(schema, X, y), freq, slots)


def read_more(
    schema: Schema, grid: TimeGrid, X, y=None, *, follow: Panel | None = None, remembered: Panel | None = None
) -> Panel:
    """Read newer rows or another history in the layout and on the grid of the data at fit.

    Parameters
    ----------
    follow : Panel, optional
        Rows without times follow the cutoff of their series in this panel; by default they start at ordinal 0.
    remembered : Panel, optional
        Static covariates of series in this panel need not be repeated; by default those of `follow`.
    """
    if isinstance(X, Panel):
        panel = more_rows(schema, grid, X, y)
    else:
        remembered = follow if remembered is None else remembered
        panel = regularize(read_rows(schema, X, y, follow=follow, remembered=remembered), grid, follow)
    return with_levels(panel, schema.series_keys, schema.levels) if schema.levels else panel


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
    X, y = _framed(to_pandas(X)[0], y), to_pandas(y)[0]
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
        _blank(len(frame), schema.width(schema.past))
        if future
        else convert.covariates(frame, schema, schema.past, places),
        convert.covariates(frame, schema, schema.known, places),
        _static(frame, schema if static or not future else replace(schema, static=()), places, remembered),
    )


def _static(frame, schema, places, remembered):
    """Return static covariates (n_series, width); values that are not given are those remembered of the series."""
    lacking = [name for name in schema.static if name not in frame.columns]
    frame = frame.reindex(columns=[*frame.columns, *lacking]) if lacking else frame
    given = convert.static_covariates(frame, schema, places)
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


def _framed(X, y):
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
    _check_names(frame)


def _check_names(frame):
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
    coded = [_codes_of(convert.column_of(frame, name), name) for name in schema.series_keys]
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
        return convert.times(frame[schema.time], schema.time, schema.date_order)
    index = frame.index
    if isinstance(index, pd.MultiIndex):
        return None if schema.time is None else convert.times(index.get_level_values(schema.time), schema.time)
    times_of_y = y.index if isinstance(y, (pd.Series, pd.DataFrame)) and holds_times(y.index) else None
    if holds_times(index):
        if times_of_y is not None and not times_of_y.equals(index):
            refuse(WHERE, "X and y must have the same times, row by row", "two different indexes", "Align them.")
        return convert.times(index, "the index")
    if times_of_y is not None:
        return convert.times(times_of_y, "the index of y")
    if schema.time is not None and schema.time in frame.columns:  # a column of the name that the index had at fit
        return convert.times(frame[schema.time], schema.time, schema.date_order)
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
            return convert.numeric(frame[list(schema.target)], "target", places)
        values = np.asarray(X)
        return convert.numeric_array(values[:, None] if values.ndim == 1 else values, "target", schema.target, places)
    if y is None:
        refuse(WHERE, "rows must come as X and y, as at fit", "X alone")
    y = y if isinstance(y, (pd.Series, pd.DataFrame)) else as_array(y)
    if len(y) != len(frame):
        refuse(WHERE, "X and y must have the same number of rows", f"{len(frame)} and {len(y)}")
    y = y.to_frame() if isinstance(y, pd.Series) else y[:, None] if y.ndim == 1 else y
    if y.shape[1] != len(schema.target):
        refuse(WHERE, f"y must have the {len(schema.target)} column(s) seen at fit", f"{y.shape[1]}")
    if isinstance(y, pd.DataFrame):
        return convert.numeric(y, "target", places)
    return convert.numeric_array(y, "target", schema.target, places)
