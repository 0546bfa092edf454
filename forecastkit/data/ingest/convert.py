"""Convert and validate frame columns."""

from decimal import Decimal
from numbers import Real

import numpy as np
import pandas as pd

from forecastkit.data.array_checks import refuse_kind
from forecastkit.data.files.datetimes import read_times
from forecastkit.data.ingest.category_levels import level_codes
from forecastkit.data.row_labels import Places
from forecastkit.data.schema import WHERE, Schema, are_numbers
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
            _refuse_text(column, f"the {what} {name!r}", places)
    dtype = "float32" if len(frame.columns) and all(d == np.float32 for d in frame.dtypes) else "float64"
    if any(map(pd.api.types.is_object_dtype, frame.dtypes)):
        # numpy cannot cast pd.NA, which pandas leaves alone in object columns.
        frame = frame.mask(frame.isna(), np.nan)
    values = frame.to_numpy(dtype=dtype, na_value=np.nan, copy=True)
    _check_finite(values, what, frame.columns, places)
    return values


def _refuse_text(column, what, places):
    """Refuse a column with cells that are not numbers."""
    wrong = _not_numbers(column)
    example = _example(column[wrong]) if wrong.any() else column.iloc[0]
    if wrong.all() or column.dtype != object:
        remedy = "Name the columns to forecast with target=." if what.startswith("the target") else ""
        refuse_kind(what, f"{column.dtype}, for instance {example!r}", example, remedy)
    got = places.count(wrong, f"cell that is not, {example!r}", f"cells that are not, for instance {example!r}")
    refuse_kind(what, got, example, "Replace them by numbers or leave them blank.")


def _example(cells):
    """Return the first cell whose text is not a number; the first cell if all are numbers stored as text."""
    odd = cells[(pd.to_numeric(cells.astype(object), errors="coerce").isna() & cells.notna()).to_numpy()]
    return (odd if len(odd) else cells).iloc[0]


def _not_numbers(column):
    """Return which cells are neither real numbers nor missing, shape (rows,)."""
    numbers = column.map(lambda cell: isinstance(cell, (Real, Decimal)))
    return ~(numbers | column.isna()).to_numpy(dtype=bool)


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
        _refuse_mixture(frame[name], places)
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


def _refuse_mixture(column, places):
    """Refuse text among numbers, because it may be classes or misspelt numbers."""
    if column.dtype != object or not column.map(lambda cell: isinstance(cell, Real)).any():
        return
    got = f"both: {places.count(_not_numbers(column), 'cell of text', 'cells of text')}"
    remedy = "Blank the cells that are not numbers, or convert all of them to text."
    refuse(WHERE, f"the covariate {column.name!r} must contain either numbers or classes", got, remedy)


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
