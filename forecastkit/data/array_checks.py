"""Validation of arrays and columns, with the error messages that scikit-learn's checks expect."""

from collections.abc import Sequence
from decimal import Decimal
from numbers import Real
from typing import NoReturn

import numpy as np
import pandas as pd

from forecastkit.data.row_labels import Places
from forecastkit.utils.exceptions import CellError, ParameterError
from forecastkit.utils.validation import refuse

WHERE = "Panel"


def as_array(data) -> np.ndarray:
    """Convert a list or array-like to an array; sparse matrices are refused."""
    if hasattr(data, "toarray") and hasattr(data, "nnz"):
        rule = "data must be dense, as most cells of a series are not 0"
        refuse(WHERE, rule, f"a sparse {type(data).__name__}", "Pass data.toarray().")
    if isinstance(data, np.ma.MaskedArray):  # masked elements are missing
        return data.astype("float64").filled(np.nan) if data.dtype.kind in "iufb" else data.astype(object).filled(None)
    if isinstance(data, (list, tuple)) and any(isinstance(row, (pd.Series, dict)) for row in data):
        _refuse_rows(data, "rows of an array must be numbers")
    try:
        data = np.asarray(data)
    except ValueError:  # lists of different lengths
        _refuse_rows(data, "rows of an array must have the same length")
    if data.dtype.names:
        refuse(WHERE, "data must be an array of numbers", "a structured array", "Pass pandas.DataFrame(data).")
    return data


def _refuse_rows(data: Sequence, rule: str) -> NoReturn:
    kinds = sorted({type(row).__name__ for row in data})
    remedy = "Join them to one long table with a column that names the series: pandas.concat({'a': a, 'b': b})."
    records = "Pass pandas.DataFrame(data)."
    refuse(WHERE, rule, f"a {type(data).__name__} of {kinds[0]}", records if kinds[0] == "dict" else remedy)


def check_covariates(X: np.ndarray) -> None:
    """Refuse covariates that are not two-dimensional with at least one column."""
    if X.ndim != 2:
        remedy = "Reshape your data: X.reshape(-1, 1) is one covariate."
        refuse(WHERE, "X must have two dimensions beside y (time, covariates)", f"{X.ndim}D array", remedy)
    if not X.shape[1]:
        got = f"0 feature(s) (shape={X.shape}) while a minimum of 1 is required"
        refuse(WHERE, "X must have a covariate beside y", got, "Without covariates, pass the targets alone.")


def check_width(X: np.ndarray, wanted: int, where: str) -> None:
    """Refuse rows with fewer or more columns than at fit."""
    rule = f"rows must have the {wanted} column(s) seen at fit"
    if X.ndim != 2:
        refuse(WHERE, rule, f"shape {X.shape}", "Reshape your data: X.reshape(1, -1) is one row.")
    if X.shape[1] != wanted:
        remedy = f"X has {X.shape[1]} features, but {where} is expecting {wanted} features as input."
        refuse(WHERE, rule, f"shape {X.shape}", remedy)


def refuse_nameless(what: str) -> None:
    """Refuse an array if columns were named."""
    remedy = "Where a step of a pipeline lost them, its set_output(transform='pandas') keeps names and times."
    refuse(WHERE, f"{what} must be a column of X", "an array without names", remedy, ParameterError)


def refuse_kind(what: str, got: str, example: object, remedy: str = "") -> None:
    """Refuse a column with values other than real numbers, such as `example`."""
    rule = f"{what} must be numeric"
    if np.iscomplexobj(example):
        refuse(WHERE, rule, got, "Complex data not supported.")
    if not isinstance(example, str) and np.asarray(example).dtype.kind == "O":
        remedy = f"A float() argument must be a string or a real number, not {type(example).__name__!r}."
        refuse(WHERE, rule, got, remedy, CellError)
    refuse(WHERE, rule, got, remedy)


def refuse_text(column: pd.Series, what: str, places: Places) -> None:
    """Refuse a column with cells that are not numbers."""
    wrong = _not_numbers(column)
    example = _example(column[wrong]) if wrong.any() else column.iloc[0]
    if wrong.all() or column.dtype != object:
        remedy = "Name the columns to forecast with target=." if what.startswith("the target") else ""
        refuse_kind(what, f"{column.dtype}, for instance {example!r}", example, remedy)
    got = places.count(wrong, f"cell that is not, {example!r}", f"cells that are not, for instance {example!r}")
    refuse_kind(what, got, example, "Replace them by numbers or leave them blank.")


def refuse_mixture(column: pd.Series, places: Places) -> None:
    """Refuse text among numbers, because it may be classes or misspelt numbers."""
    if column.dtype != object or not column.map(lambda cell: isinstance(cell, Real)).any():
        return
    got = f"both: {places.count(_not_numbers(column), 'cell of text', 'cells of text')}"
    remedy = "Blank the cells that are not numbers, or convert all of them to text."
    refuse(WHERE, f"the covariate {column.name!r} must contain either numbers or classes", got, remedy)


def _example(cells):
    """Return the first cell whose text is not a number; the first cell if all are numbers stored as text."""
    odd = cells[(pd.to_numeric(cells.astype(object), errors="coerce").isna() & cells.notna()).to_numpy()]
    return (odd if len(odd) else cells).iloc[0]


def _not_numbers(column):
    """Return which cells are neither real numbers nor missing, shape (rows,)."""
    numbers = column.map(lambda cell: isinstance(cell, (Real, Decimal)))
    return ~(numbers | column.isna()).to_numpy(dtype=bool)
