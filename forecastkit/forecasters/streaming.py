"""Forecasts of streams: one observation at a time, in constant time and memory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from forecastkit.data.output_frames import timestamps_at
from forecastkit.data.panel import Panel
from forecastkit.data.row_labels import Places
from forecastkit.data.schema import Schema
from forecastkit.forecasters.future_rows import ordinal_of, tail
from forecastkit.forecasters.newer_rows import without_newer_faults
from forecastkit.utils.types import Data
from forecastkit.utils.validation import check_names, first_few, refuse

if TYPE_CHECKING:
    from forecastkit.forecasters.base import Forecaster


class Streaming:
    """Mixin: `observe`."""

    def observe(
        self,
        y: Any,
        X: Any = None,
        *,
        time: Any = None,
        future: Data | None = None,
        quantile_levels: Sequence[float] | None = None,
        coverage: float | None = None,
    ) -> Any:
        """Add the next observation and forecast; equal to `update` with this row followed by `predict`.

        Only the rows that forecasts need are kept of the history, so time and memory do not depend on the number of
        observations. Of earlier rows the naive, drift and mean forecasts keep sums alone, so that `update` can no
        longer correct them. Series that were added after the fit are scaled by all their rows, and keep them.

        Parameters
        ----------
        y : float, sequence of float, mapping or frame
            Value of the target, or values of several; a mapping by column name may include covariates. For several
            series a mapping by series name of any of these. NaN is a missing step. Alternatively rows as in `update`.
        X : sequence, mapping or frame, optional
            Covariates of the observation: numbers in the order of the columns at `fit`, or a mapping by column name;
            for several series a mapping by series name. Future covariates that the history has may be left out.
        time : label, optional
            Time of the observation; skipped steps are missing. By default the step after the latest one.
        future, quantile_levels, coverage
            Passed to `predict`; `future` is its X, the rows to forecast with future covariates.

        Returns
        -------
        array, Series or frame
            As `predict` returns it.

        Raises
        ------
        InputError
            If the observation does not lie after the latest one, or is of an unknown series. The forecaster is then
            unchanged.

        Examples
        --------
        >>> import forecastkit as fk
        >>> model = fk.LinearForecaster(horizon=3).fit([1.0, 2.0] * 20)
        >>> model.observe(1.0).round(2).tolist()
        [2.0, 1.0, 2.0]
        """
        self._check_is_fitted()
        where = f"{type(self).__name__}.observe"
        with self._restored():
            history = self.history_
            if self._rows_kept(history) is None:  # earlier rows are needed: sums over them are kept
                history = replace(self.scaler_.without_faults(history), earlier=history.sums_before())
            history = tail(history, self.scaler_, self._rows_kept(history))
            latest = history.cutoffs() + vars(self).get("missing_steps_", 0)
            newer = _read(where, self, history, latest, (y, X, time))
            place = _check_order(where, history, latest, newer)
            merged = without_newer_faults(where, self, history.merge(newer)[0])
            self.history_is_tail_ = self.history_is_tail_ or history is not self.history_
            self._take_history(merged, self.n_revised_)
            latest[place] = newer.ends
            self.missing_steps_ = latest - merged.cutoffs()
            return self.predict(future, quantile_levels=quantile_levels, coverage=coverage)


def _read(where: str, forecaster: "Forecaster", history: Panel, latest: np.ndarray, given: tuple) -> Panel:
    """Return an observation, (y, X, time), as a panel of the observed series."""
    from forecastkit.data.ingest.read_panel import read_more  # here: rows are not read for numbers

    schema, (y, X, time) = forecaster.schema_, given
    if hasattr(y, "columns") or (isinstance(y, pd.Series) and not _is_record(y, schema, history)):
        if time is not None:
            refuse(where, "time= is for values, and rows have their own times", repr(time), "Leave out time=.")
        return read_more(schema, history.grid, *((X, y) if schema.supervised else (y,)), follow=history)
    entity, rows = _records(where, schema, history, y, X)
    times = [row.get(schema.time) if time is None and schema.time else time for row in rows]
    start = latest[entity] + 1
    for i, given_time in enumerate(times):
        start[i] = start[i] if given_time is None else ordinal_of(where, "time", history, given_time)
    cells = [[_number(where, name, row[name]) for name in schema.target] for row in rows]
    past, known = _covariates(where, schema, history, entity, start, rows)
    return replace(
        history,
        ids=tuple(history.ids[e] for e in entity),
        start=start,
        indptr=np.arange(len(rows) + 1),
        target=np.array(cells, dtype="float64"),
        past=past,
        known=known,
        static=history.static[entity],
        earlier=None,
    )


def _is_record(y: pd.Series, schema: Schema, history: Panel) -> bool:
    """Return whether a Series holds cells by the names of targets or series, as a row of a frame does."""
    return y.index.isin(list(history.ids if schema.is_panel else schema.target)).any()


def _check_order(where: str, history: Panel, latest: np.ndarray, newer: Panel) -> np.ndarray:
    """Return the places of the observed series in the history; refuse unknown series and earlier rows."""
    place = history.places(newer.ids)
    if (place < 0).any():
        unknown = [repr(name) for name, at in zip(newer.ids, place, strict=True) if at < 0]
        refuse(where, "series must be those of the history", first_few(unknown), "Add new ones with update().")
    early = np.flatnonzero(newer.start <= latest[place])
    if len(early):
        e = int(early[0])
        name = "" if newer.ids[e] is None else f" of {newer.ids[e]!r}"
        time, last = timestamps_at(history, np.array([newer.start[e], latest[place[e]]]))
        rule = f"an observation{name} must lie after the latest one, {last}"
        refuse(where, rule, str(time), "Correct known rows with update().")
    return place


def _records(where: str, schema: Schema, history: Panel, y, X) -> tuple[np.ndarray, list[dict]]:
    """Return the number of each observed series in the history, and its cells by column name."""
    if not schema.is_panel:
        return np.zeros(1, dtype="int64"), [_record(where, schema, y, X)]
    by_series, covariates = _as_mapping(y), {} if X is None else _as_mapping(X)
    if not by_series or covariates is None:
        wrong = X if by_series else y
        refuse(where, "values of several series must be a mapping by series name", f"{wrong!r:.40}")
    check_names(where, "the observed series", by_series, history.ids)
    check_names(where, "the series of X", covariates, by_series)
    rows = [_record(where, schema, value, covariates.get(name)) for name, value in by_series.items()]
    return history.places(list(by_series)), rows


def _record(where: str, schema: Schema, y, X) -> dict:
    """Return the cells of one series by column name; all targets are among them."""
    names = [name for name in schema.columns if name in (*schema.past, *schema.known)] or [*schema.known, *schema.past]
    row = {**_named(where, "X", names, X), **_named(where, "y", schema.target, y)}
    columns = {*schema.target, *names, schema.time_name, *(() if schema.flat else schema.columns)}
    check_names(where, "a column of the observation", row, columns)
    if lacking := [repr(name) for name in schema.target if name not in row]:
        refuse(where, "an observation must have a value of each target", f"none of {first_few(lacking)}")
    return row


def _named(where, parameter, names, values) -> dict:
    """Return values by column name."""
    mapping = {} if values is None else _as_mapping(values)
    if mapping is not None:
        return mapping
    is_list = np.iterable(values) and not isinstance(values, str)
    cells = list(values.flat if isinstance(values, np.ndarray) else values) if is_list else [values]
    if len(cells) != len(names):
        rule = f"must have a value for each of {first_few(map(repr, names), 8)}"
        rule = rule if names else "must be left out of models without covariates"
        refuse(where, f"{parameter} {rule}", f"{len(cells)} value{'s' * (len(cells) != 1)}")
    return dict(zip(names, cells, strict=True))


def _as_mapping(values) -> dict | None:
    """Return a mapping, or a row of a frame, as a dict; None for other values."""
    return dict(values.items()) if isinstance(values, (Mapping, pd.Series)) else None


def _number(where, name, cell) -> float:
    """Return the value of a target, NaN where it is missing."""
    if cell is None or cell is pd.NA:
        return np.nan
    if not isinstance(cell, (Real, Decimal)) or np.isinf(float(cell)):
        refuse(where, f"the target {name!r} must be a finite number, or NaN where it is missing", f"{cell!r:.40}")
    return float(cell)


def _covariates(where, schema, history, entity, ordinal, rows):
    """Return past and future covariates of the observations; the history may have the latter already."""
    from forecastkit.data.ingest.table import covariates  # here: most streams have no covariates

    names = (*schema.past, *schema.known)
    if not names:
        return (np.empty((len(rows), 0), dtype="float32"),) * 2
    row = history.row_at(entity, ordinal)
    ahead = row < history.indptr[entity + 1]
    has_known = ahead & ~np.isnan(history.known[np.where(ahead, row, 0)]).any(axis=1)
    for given, is_known in zip(rows, has_known, strict=True):
        needed = schema.past if is_known else names
        if lacking := [repr(name) for name in needed if name not in given]:
            refuse(where, "an observation needs its covariates", f"none of {first_few(lacking)}", "Pass them in X=.")
    frame = pd.DataFrame([{name: given.get(name, np.nan) for name in names} for given in rows])
    places = Places(np.arange(len(rows)), tuple(history.ids[e] for e in entity), None)
    return tuple(covariates(frame, schema, role, places) for role in (schema.past, schema.known))
