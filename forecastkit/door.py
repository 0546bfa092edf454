"""The one door: whatever the user holds becomes a panel, and its names are kept to dress the results."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from forecastkit.checks import InputError, check_keys, did_you_mean, refuse, some
from forecastkit.grid import Grid, find_grid
from forecastkit.panel import Panel, pointers, spread

RESERVED = ("forecast", "cutoff", "actual", "target", "step")
WHERE = "Panel"


@dataclass(frozen=True)
class Schema:
    """How the data at `fit` looked: enough to read more of the same kind and to dress results like it.

    Parameters
    ----------
    form : {'array', 'series', 'frame', 'panel'}
    supervised : bool
        Whether `y` was given: rows of X are covariates known ahead.
    flat : bool
        Whether the target was one-dimensional.
    target, known, past, static : tuple
        Column names by role.
    time, series_id : str or None
        Names of the time and the series column or index level.
    indexed : bool
        Whether times are in the index.
    categories : dict
        Levels of each categorical covariate; each becomes a 0/1 column.
    library : {'pandas', 'polars', 'pyarrow'}
        What came in and goes out.
    """

    form: str
    supervised: bool = False
    flat: bool = True
    target: tuple = ()
    known: tuple = ()
    past: tuple = ()
    static: tuple = ()
    time: str | None = None
    series_id: str | None = None
    indexed: bool = True
    categories: dict = field(default_factory=dict)
    library: str = "pandas"

    @property
    def is_panel(self) -> bool:
        return self.form == "panel"

    @property
    def time_name(self) -> str:
        """Name of the time column in long results."""
        return "time" if self.time is None else self.time


@dataclass(frozen=True)
class Table:
    """Rows as they came, in their order: which entity, which stamp, and the columns by role (float, NaN missing)."""

    entity: np.ndarray
    ids: tuple
    stamps: pd.Index | None
    target: np.ndarray
    past: np.ndarray
    known: np.ndarray
    static: np.ndarray


def to_pandas(data):
    """A pandas object for what narwhals knows, and the library it came from; anything else is passed through."""
    if isinstance(data, (pd.DataFrame, pd.Series, np.ndarray)) or data is None:
        return data, "pandas"
    import narwhals.stable.v2 as nw

    native = nw.from_native(data, pass_through=True, eager_only=True, allow_series=True)
    if native is data:
        return data, "pandas"
    return native.to_pandas(), native.implementation.value


def from_pandas(frame: pd.DataFrame, library: str):
    """The frame as the library's own kind; its index becomes columns where the library has none."""
    if library == "pandas":
        return frame
    import narwhals.stable.v2 as nw

    if frame.index.name is not None or isinstance(frame.index, pd.MultiIndex):
        frame = frame.reset_index()
    arrow = nw.from_native(frame, eager_only=True).to_arrow()
    return arrow if library == "pyarrow" else nw.from_arrow(arrow, backend=library).to_native()


def open_door(
    X, y=None, *, target=None, time=None, series_id=None, known=None, past=None, static=None, freq=None
) -> tuple[Panel, Schema]:
    """Read training data: find each column's role, check every cell, lay the rows on a regular grid.

    Raises
    ------
    InputError
        Naming the first offenders and counting the rest: duplicates, unreadable or missing times, text or infinite
        targets, unknown or reserved names.
    """
    X, library = to_pandas(X)
    y, _ = to_pandas(y)
    roles = {"known": _names(known), "past": _names(past), "static": _names(static)}
    if y is not None:
        schema = _supervised_schema(X, y, roles, time, series_id)
    elif isinstance(X, pd.DataFrame):
        schema = _frame_schema(X, roles, _names(target), time, series_id)
    elif isinstance(X, pd.Series):
        if isinstance(X.index, pd.MultiIndex):
            return open_door(X.to_frame(X.name or "y"), target=target, time=time, series_id=series_id, freq=freq)
        schema = Schema("series", target=(X.name if X.name is not None else "y",), time=time or X.index.name)
    else:
        schema = _array_schema(X)
    schema = replace(schema, library=library, categories=_find_categories(X, schema))
    return lay_on_grid(read_rows(schema, X, y), freq), schema


def read_more(schema: Schema, grid: Grid, X, y=None, *, future: bool = False, extend_from: int = 0) -> Panel:
    """Read data of a known kind onto a known grid: newer rows, another history, or rows to forecast.

    Parameters
    ----------
    future : bool
        Rows to forecast: their targets and past covariates are ignored and may lack.
    extend_from : int
        Ordinal of the first row where rows carry no times.
    """
    X, _ = to_pandas(X)
    y, _ = to_pandas(y)
    table = read_rows(schema, X, y, future=future)
    return _panel(table, grid, *_ordinals_on(table, grid, extend_from))


def read_rows(schema: Schema, X, y=None, future: bool = False) -> Table:
    """The rows of `X` (and `y`) by role, in the order they came."""
    if isinstance(X, pd.DataFrame):
        frame = X
    else:
        frame = _as_frame(X, schema, future)
    _check_columns(frame, schema, y, future)
    entity, ids = _entities(frame, schema)
    rows = len(frame)
    target = np.full((rows, len(schema.target)), np.nan, dtype="float32")
    if not future:
        if schema.supervised:
            target = _numeric(_target_frame(y, schema, frame), "target", check=False)
        else:
            target = _numeric(frame[list(schema.target)], "target")
    past = np.full((rows, width(schema, schema.past)), np.nan, dtype="float32")
    if not future:
        past = _covariates(frame, schema, schema.past)
    return Table(
        entity,
        ids,
        _stamps(frame, schema, y),
        target,
        past,
        _covariates(frame, schema, schema.known),
        _static(frame, schema, entity, len(ids)),
    )


def width(schema: Schema, names: tuple) -> int:
    """Number of buffer columns of these covariates, categories spread out."""
    return sum(len(schema.categories.get(name, (0,))) for name in names)


def lay_on_grid(table: Table, freq=None) -> Panel:
    """The panel of a table on the grid that its own times show."""
    if table.stamps is None:
        grid = Grid("position")
        return _panel(table, grid, *_ordinals_on(table, grid, 0))
    order = np.lexsort((np.arange(len(table.stamps)), _sortable(table.stamps), table.entity))
    entity = table.entity[order]
    first = np.flatnonzero(np.diff(entity, prepend=-1))
    stamps = table.stamps[order]
    repeated = np.zeros(len(stamps), dtype=bool)
    repeated[1:] = (entity[1:] == entity[:-1]) & (stamps[1:] == stamps[:-1])
    if repeated.any():
        _refuse_duplicates(table, entity[repeated], stamps[repeated])
    grid = find_grid(stamps, first, freq, WHERE)
    return _panel(table, grid, *_ordinals_on(table, grid, 0))


# ---------------------------------------------------------------------------------------------- roles


def _names(names):
    if names is None:
        return ()
    return (names,) if isinstance(names, str) or not np.iterable(names) else tuple(names)


def _array_schema(X):
    values = np.asarray(X)
    if values.ndim not in (1, 2):
        refuse(
            WHERE,
            "an array must have one dimension (time) or two (time, series)",
            f"{values.ndim}",
            "Windows are made inside: pass the series itself.",
        )
    names = ("y",) if values.ndim == 1 else tuple(f"y{i}" for i in range(values.shape[1]))
    return Schema("array", flat=values.ndim == 1, target=names, time=None)


def _supervised_schema(X, y, roles, time, series_id):
    flat = getattr(y, "ndim", np.ndim(y)) == 1
    if isinstance(y, pd.DataFrame):
        target = tuple(y.columns)
    elif isinstance(y, pd.Series):
        target = (y.name if y.name is not None else "y",)
    else:
        target = ("y",) if flat else tuple(f"y{i}" for i in range(np.shape(y)[1]))
    if not isinstance(X, pd.DataFrame):
        columns = np.atleast_2d(np.asarray(X)).shape[1]
        names = tuple(f"x{i}" for i in range(columns))
        past = tuple(f"x{name}" if not isinstance(name, str) else name for name in roles["past"])
        check_keys(WHERE, "a column named in past=", past, names)
        time = y.index.name if isinstance(y, (pd.Series, pd.DataFrame)) else None
        return Schema("array", True, flat, target, tuple(n for n in names if n not in past), past, time=time)
    time, series_id, indexed = _keys(X, time, series_id)
    taken = {time, series_id, *roles["past"], *roles["static"]}
    for role, names in roles.items():
        check_keys(WHERE, f"a column named in {role}=", names, X.columns)
    known = roles["known"] or tuple(c for c in X.columns if c not in taken)
    form = "panel" if series_id is not None else "frame"
    return Schema(form, True, flat, target, known, roles["past"], roles["static"], time, series_id, indexed)


def _frame_schema(frame, roles, target, time, series_id):
    if not len(frame.columns):
        refuse(WHERE, "a frame must have a column to forecast", "none")
    time, series_id, indexed = _keys(frame, time, series_id)
    form = "panel" if series_id is not None else "frame"
    for role, names in (("target", target), *roles.items()):
        check_keys(WHERE, f"a column named in {role}=", names, frame.columns)
    taken = {time, series_id, *roles["known"], *roles["past"], *roles["static"]}
    free = [c for c in frame.columns if c not in taken]
    past = roles["past"]
    if target:
        past += tuple(c for c in free if c not in target and pd.api.types.is_numeric_dtype(frame[c]))
    else:
        target = tuple(free)
    twice = [c for c in target if c in taken]
    if twice:
        refuse(WHERE, "a target cannot have another role too", some(map(repr, twice)))
    reserved = [c for c in (*target, time, series_id) if c in RESERVED and form == "panel"]
    if reserved:
        refuse(
            WHERE,
            f"the names {', '.join(RESERVED)} are kept for results",
            some(map(repr, reserved)),
            "Rename the column.",
        )
    return Schema(form, False, False, target, roles["known"], past, roles["static"], time, series_id, indexed)


def _keys(frame, time, series_id):
    """Names of the time and the series column or level, and whether times are in the index."""
    levels = [name for name in frame.index.names if name is not None]
    everything = [*frame.columns, *levels]
    for what, name in (("time", time), ("series_id", series_id)):
        if name is not None and name not in everything:
            refuse(WHERE, f"the column named in {what}= must exist", repr(name), did_you_mean(name, everything))
    if series_id is None and "unique_id" in everything:
        series_id = "unique_id"
    if isinstance(frame.index, pd.MultiIndex):
        series_id = series_id if series_id is not None else frame.index.names[0]
        if time is None:
            time = next((n for n in frame.index.names if n != series_id), None)
    if time is None and series_id is not None and "ds" in frame.columns:
        time = "ds"
    if time is None and _holds_times(frame.index):
        return frame.index.name, series_id, True
    if time is None:
        stamped = [c for c in frame.columns if pd.api.types.is_datetime64_any_dtype(frame[c])]
        time = stamped[0] if len(stamped) == 1 else None
    indexed = time is None or (time not in frame.columns)
    return time, series_id, indexed


def _holds_times(index):
    return isinstance(index, (pd.DatetimeIndex, pd.PeriodIndex))


def _find_categories(X, schema):
    """Levels of every covariate whose dtype is categorical, text or boolean, as seen at fit."""
    if not isinstance(X, pd.DataFrame):
        return {}
    found = {}
    for name in (*schema.known, *schema.past, *schema.static):
        column = X[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            found[name] = tuple(column.cat.categories)
        elif not pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_datetime64_any_dtype(column):
            found[name] = tuple(sorted(column.dropna().unique()))
    return found


# ---------------------------------------------------------------------------------------------- cells


def _as_frame(X, schema, future):
    """Arrays and Series as a frame with the schema's names."""
    names = list(schema.known + schema.past) if schema.supervised else list(schema.target)
    if isinstance(X, pd.Series):
        return X.to_frame(names[0])
    values = np.asarray(X)
    if values.ndim == 1:
        values = values[:, None]
    if schema.supervised:
        names = [f"x{i}" for i in range(len(names))]
    if values.ndim != 2 or values.shape[1] != len(names):
        refuse(WHERE, f"rows must have the {len(names)} column(s) seen at fit", f"shape {np.shape(X)}")
    return pd.DataFrame(values, columns=names)


def _check_columns(frame, schema, y, future):
    needed = [*schema.known, *schema.static]
    if not future:
        needed += [*schema.past, *(() if schema.supervised else schema.target)]
    if schema.series_id is not None and schema.series_id not in frame.index.names:
        needed.append(schema.series_id)
    if not schema.indexed and schema.time is not None:
        needed.append(schema.time)
    lacking = [c for c in needed if c not in frame.columns]
    if lacking:
        refuse(
            WHERE,
            f"the columns seen at fit must be there: {some(needed, 8)}",
            f"none named {some(map(repr, lacking))} among {some(frame.columns, 8)}",
        )
    doubled = frame.columns[frame.columns.duplicated()]
    if len(doubled):
        refuse(WHERE, "column names must not repeat", some(map(repr, doubled)))
    if not len(frame):
        refuse(WHERE, "there must be rows", "0 rows")


def _column(frame, name):
    if name in frame.columns:
        return frame[name]
    return frame.index.get_level_values(name).to_series(index=frame.index)


def _entities(frame, schema):
    if schema.series_id is None:
        return np.zeros(len(frame), dtype="int64"), (None,)
    codes, ids = pd.factorize(_column(frame, schema.series_id))
    if (codes < 0).any():
        refuse(WHERE, f"every row must name its series in {schema.series_id!r}", f"{(codes < 0).sum()} without")
    return codes.astype("int64"), tuple(ids.tolist())


def _stamps(frame, schema, y):
    """Times of the rows: from a column, X's index, else y's index; None where there are none."""
    if not schema.indexed:
        return _readable(frame[schema.time], schema.time)
    if schema.time is not None and schema.time in frame.index.names and isinstance(frame.index, pd.MultiIndex):
        return _readable(frame.index.get_level_values(schema.time), schema.time)
    if _holds_times(frame.index):
        return _no_gaps(frame.index, "index")
    if isinstance(y, (pd.Series, pd.DataFrame)) and _holds_times(y.index):
        return _no_gaps(y.index, "index of y")
    plain = isinstance(frame.index, pd.RangeIndex) and frame.index.start == 0 and frame.index.step == 1
    if plain or schema.form == "array":
        return None
    if schema.form == "panel" and schema.time is None:
        return None
    if pd.api.types.is_integer_dtype(frame.index.dtype):
        return frame.index
    return refuse(
        WHERE,
        "the index must hold times or whole numbers",
        f"dtype {frame.index.dtype}",
        "Name the time column with time=, or make the index one with pandas.to_datetime.",
    )


def _readable(column, name):
    if pd.api.types.is_integer_dtype(column.dtype):
        return pd.Index(column)
    if not (pd.api.types.is_datetime64_any_dtype(column.dtype) or isinstance(column.dtype, pd.PeriodDtype)):
        try:
            column = pd.to_datetime(column)
        except (ValueError, TypeError) as error:
            raise InputError(f"{WHERE}: the time column {name!r} must hold times, got {error}.") from error
    return _no_gaps(pd.Index(column), name)


def _no_gaps(stamps, name):
    if stamps.hasnans:
        refuse(WHERE, f"every row must have a time in {name!r}", f"{int(stamps.isna().sum())} without")
    return stamps


def _target_frame(y, schema, frame):
    if isinstance(y, (pd.Series, pd.DataFrame)):
        y = y.to_numpy()
    y = np.asarray(y)
    if len(y) != len(frame):
        refuse(WHERE, "X and y must have the same number of rows", f"{len(frame)} and {len(y)}")
    y = y[:, None] if y.ndim == 1 else y
    return pd.DataFrame(y, columns=list(schema.target))


def _numeric(frame, what, check=True):
    """A float array of the columns; text and infinities are refused with the first offenders."""
    for name in frame.columns:
        column = frame[name]
        if not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_complex_dtype(column.dtype):
            if check or column.dtype != object:
                refuse(
                    WHERE,
                    f"the {what} {name!r} must be numeric",
                    f"{column.dtype}, for instance {column.iloc[0]!r}",
                    f"Name the columns to forecast with target=." if what == "target" else "",
                )
    dtypes = {np.dtype("float32") if d == np.float32 else np.dtype("float64") for d in frame.dtypes}
    dtype = "float32" if dtypes == {np.dtype("float32")} else "float64"
    try:
        values = frame.to_numpy(dtype=dtype, na_value=np.nan)
    except (TypeError, ValueError):
        refuse(WHERE, f"the {what} must be numeric", f"values such as {frame.iloc[0].tolist()}")
    if np.isinf(values).any():
        row, column = np.argwhere(np.isinf(values))[0]
        refuse(
            WHERE,
            f"the {what} {frame.columns[column]!r} must be finite",
            f"{int(np.isinf(values).sum())} infinite, the first in row {row}",
            "Blank them: missing is masked.",
        )
    return values


def _covariates(frame, schema, names):
    parts = [_one_covariate(frame[name], schema.categories.get(name), name) for name in names]
    return np.concatenate(parts, axis=1) if parts else np.zeros((len(frame), 0), dtype="float32")


def _one_covariate(column, levels, name):
    if levels is None:
        return _numeric(column.to_frame(), "covariate").astype("float32")
    codes = pd.Index(levels).get_indexer(pd.Index(column))
    # An unknown or missing level is a row of zeros.
    return (codes[:, None] == np.arange(len(levels))).astype("float32")


def _static(frame, schema, entity, entities):
    values = _covariates(frame, schema, schema.static)
    out = np.full((entities, values.shape[1]), np.nan, dtype="float32")
    out[entity[::-1]] = values[::-1]
    if values.shape[1] and not np.array_equal(np.nan_to_num(out[entity]), np.nan_to_num(values)):
        refuse(
            WHERE,
            f"static columns {some(schema.static)} must not change within a series",
            "changes",
            "Pass them in known= or past=.",
        )
    return out


# ---------------------------------------------------------------------------------------------- rows


def _sortable(stamps):
    if isinstance(stamps, pd.PeriodIndex):
        return stamps.asi8
    return stamps.asi8 if isinstance(stamps, pd.DatetimeIndex) else np.asarray(stamps, dtype="int64")


def _refuse_duplicates(table, entity, stamps):
    pairs = [
        f"{table.ids[e]!r} at {stamp}" if table.ids[e] is not None else str(stamp)
        for e, stamp in zip(entity, stamps, strict=True)
    ]
    refuse(
        WHERE,
        "each (series, time) must be one row",
        f"{len(pairs)} duplicates: {some(pairs)}",
        "Several series? Name their column with series_id=. A clock change? Keep one of the two rows.",
    )


def _ordinals_on(table, grid, extend_from):
    """Ordinal of every row, checked against the grid."""
    if table.stamps is None:
        counts = np.bincount(table.entity, minlength=len(table.ids))
        order = np.argsort(table.entity, kind="stable")
        place = np.empty(len(order), dtype="int64")
        place[order] = spread(counts)[1]
        return (place + extend_from,)
    if grid.is_time != isinstance(table.stamps, (pd.DatetimeIndex, pd.PeriodIndex)):
        refuse(WHERE, "times must be of the kind seen at fit", f"{type(table.stamps).__name__}")
    ordinals, fits = grid.ordinals(table.stamps)
    if not fits.all():
        refuse(
            WHERE,
            f"times must lie on the grid seen at fit ({grid.name})",
            f"{(~fits).sum()} off it: {some(table.stamps[~fits])}",
        )
    return (ordinals,)


def _panel(table, grid, ordinals):
    entities = len(table.ids)
    start = np.full(entities, np.iinfo("int64").max)
    end = np.full(entities, np.iinfo("int64").min)
    np.minimum.at(start, table.entity, ordinals)
    np.maximum.at(end, table.entity, ordinals)
    counts = end - start + 1
    if counts.sum() > 50 * len(ordinals) + 10_000:
        refuse(
            WHERE,
            f"rows must fill at least a fiftieth of their {grid.name} grid",
            f"{len(ordinals)} rows for {counts.sum()} steps",
            "Pass freq= for a coarser grid.",
        )
    indptr = pointers(counts)
    at = indptr[:-1][table.entity] + ordinals - start[table.entity]
    in_order = len(at) == indptr[-1] and (len(at) < 2 or bool((at[1:] > at[:-1]).all()))
    if len(at) > len(np.unique(at)) if not in_order else False:
        values, counts_ = np.unique(at, return_counts=True)
        twice = np.flatnonzero(np.isin(at, values[counts_ > 1]))
        stamps = grid.stamps(ordinals[twice])
        _refuse_duplicates(table, table.entity[twice], stamps)

    def lay(values):
        if in_order:
            return values
        out = np.full((int(indptr[-1]), values.shape[1]), np.nan, dtype=values.dtype)
        out[at] = values
        return out

    return Panel(grid, table.ids, start, indptr, lay(table.target), lay(table.past), lay(table.known), table.static)
