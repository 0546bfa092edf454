"""Audit: test whether forecasts change when rows after their cutoff change."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from forecastkit.data.ingest.read_panel import read_more, read_panel, read_rows, to_pandas
from forecastkit.data.panel import Panel, spread
from forecastkit.data.sizes import choose_horizon
from forecastkit.evaluation.backtesting import backtest, find_cutoffs
from forecastkit.forecasters.base import Forecaster
from forecastkit.preprocessing.scaler import Scaler
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.types import Data
from forecastkit.utils.validation import check_int, refuse

WHERE = "audit"


@dataclass(frozen=True)
class Audit:
    """Result of an audit.

    Attributes
    ----------
    findings : DataFrame
        A row per check: ``check``, what was ``changed``, whether it ``passed``, and ``detail`` where it did not.
    """

    findings: pd.DataFrame

    @property
    def passed(self) -> bool:
        """Whether no check found a leak."""
        return bool(self.findings["passed"].all())

    def __str__(self):
        marks = self.findings["passed"].map({True: "ok", False: "LEAK"})
        lines = zip(marks, self.findings["check"], self.findings["changed"], self.findings["detail"], strict=True)
        return "\n".join(f"{mark:4}  {check}: {changed}  {detail}".rstrip() for mark, check, changed, detail in lines)


@dataclass(frozen=True)
class Case:
    """Data, and which of its rows come after the cutoff and after the horizon.

    Parameters
    ----------
    X, y : frame, Series or array
        Each row a step; `y` may be None.
    columns : dict of str to list
        Columns of `X` by role; the targets only where there is no `y`.
    after, beyond : ndarray of bool, (rows,)
        Rows after the cutoff of their series, and those more than a horizon after it.
    entity : ndarray of int, (rows,)
    """

    X: object
    y: object
    columns: dict
    after: np.ndarray
    beyond: np.ndarray
    entity: np.ndarray

    def perturbed(self, *roles: str, rows: np.ndarray | None = None, blank: bool = False) -> "Case":
        """The same data with the cells of these roles changed, or blanked, in the rows after the cutoff."""
        rows = self.after if rows is None else rows
        X = _change(self.X, [name for role in roles for name in self.columns[role]], rows, blank)
        return replace(self, X=X, y=_change(self.y, None, rows, blank) if "target" in roles else self.y)


def audit(
    forecaster: Forecaster | Callable[..., Any],
    X: Data,
    y: Data | None = None,
    *,
    start: Any = None,
    horizon: int | None = None,
    refits: bool = True,
) -> Audit:
    """Change everything that comes after a cutoff, and demand that forecasts made at it stay the same, bit for bit.

    Parameters
    ----------
    forecaster : Forecaster, or callable
        Not fitted: it is also fitted on rows before the cutoff of changed data, and at two cutoffs in turn. Fitted: its
        forecasts after its own cutoff are looked at. A callable is a procedure of your own from raw data to forecasts,
        with all its scaling, features and training: ``procedure(X, start)``, or ``procedure(X, y, start)`` with a y, of
        `start` as given here, returns the forecasts of the `horizon` rows from `start` on.
    X, y : as in `fit`
        Rows before and after the cutoff.
    start : label or int, optional
        First row forecast, as in `backtest`; a procedure needs it.
    horizon : int, optional
        Steps that a procedure forecasts. Default: one season, else 1.
    refits : bool
        Whether to fit a forecaster that is not fitted: about six times.

    Returns
    -------
    Audit
        ``.passed``, and ``.findings`` by check.

    Raises
    ------
    InputError
        Where `start` leaves nothing to forecast, or data break a rule.

    Notes
    -----
    The checks: targets, past covariates and known covariates beyond the horizon are changed, blanked, and changed in
    one series only; scales must be those of the rows of the fit, which a loaded forecaster no longer has; a fit must
    not depend on fits before it. What an audit cannot see: leaks in data made before they came here. Hand over the
    procedure that makes them.
    """
    check_int(WHERE, "horizon", horizon, optional=True)
    if isinstance(forecaster, Forecaster):
        found = _audit_forecaster(forecaster, X, y, start, refits)
    elif callable(forecaster):
        found = _audit_procedure(forecaster, X, y, start, horizon)
    else:
        refuse(WHERE, "forecaster must be a Forecaster or a procedure to call", repr(forecaster), error=ParameterError)
    return Audit(pd.DataFrame(found, columns=["check", "changed", "passed", "detail"]))


# ---------------------------------------------------------------------------------------------- forecasters


def _audit_forecaster(forecaster, X, y, start, refits) -> Iterator[tuple]:
    X, y = to_pandas(X)[0], to_pandas(y)[0]
    fitted = hasattr(forecaster, "history_")
    case, earlier, start, model = _case_of(forecaster, X, y, start)

    def forecast(case, model=model, **options):
        frame = backtest(model, case.X, case.y, start=start, n_windows=1, **options).forecasts
        return _numbers(frame[frame["cutoff"] == frame["cutoff"].min()])

    if not model._tail_only:
        yield _scales(model)
    first = forecast(case)
    for changed, other in _changes(case):
        yield ("forecast", changed, *_same(first, forecast(other)))
    if not fitted and refits:
        everything = case.perturbed("target", "past")
        yield (
            "fit and forecast",
            "targets and past covariates",
            *_same(first, forecast(everything, clone(forecaster))),
        )
        yield ("fit again", "nothing", *_same(first, forecast(case, clone(forecaster))))
        yield (
            "fit after other fits",
            "the cutoff before it",
            *_fresh(forecaster, case, earlier, start, model.horizon_),
        )


def _case_of(forecaster, X, y, start) -> tuple[Case, object, object, Forecaster]:
    """The case at the first cutoff, a start a horizon before it and its own, and the forecaster fitted before it."""
    if hasattr(forecaster, "history_"):
        schema, model = forecaster.schema_, forecaster
        panel, horizon = read_more(schema, forecaster.history_.grid, X, y), forecaster.horizon_
    else:
        forecaster._check_parameters()
        panel, schema = read_panel(X, y, **forecaster._reading())
        horizon, _ = choose_horizon(forecaster._asked().horizon, forecaster._asked().season_length, panel.grid)
        model = None
    cutoffs = find_cutoffs(model, panel, start, None, 1, 0, horizon)
    ordinal = panel.ordinal_at(cutoffs.entity, cutoffs.row)
    cut = np.full(len(panel.ids), ordinal.min())
    case = _case(schema, panel, cut, horizon, X, y)
    if model is None:
        stop = panel.row_at(np.arange(len(panel.ids)), cut) + 1
        seen = panel.between(panel.indptr[:-1], stop)
        present = np.flatnonzero(seen.last_observed() >= seen.indptr[:-1])
        model = clone(forecaster)._fit_panel(seen.take(present).copy(), schema)
    return case, *(_label(panel, cut[0] + 1 - back) for back in (horizon, 0)), model


def _label(panel: Panel, ordinal: int):
    """What `start` must be for the first row forecast to lie there."""
    return panel.grid.timestamps([ordinal])[0] if panel.grid.is_time else int(ordinal - panel.start.min())


def _case(schema, panel: Panel, cut, horizon, X, y) -> Case:
    table = read_rows(schema, X, y)
    entity = panel.places(table.ids)[table.entity]
    if table.timestamps is None:
        order = np.argsort(entity, kind="stable")
        ordinal = np.empty(len(entity), dtype="int64")
        ordinal[order] = spread(np.bincount(entity, minlength=len(panel.ids)))[1]
        ordinal += panel.start[entity]
    else:
        ordinal = panel.grid.ordinals_of(table.timestamps, WHERE)
    columns = {"target": [] if schema.supervised else list(schema.target), "past": list(schema.past)}
    columns["known"] = list(schema.known)
    return Case(X, y, columns, ordinal > cut[entity], ordinal > cut[entity] + horizon, entity)


def _changes(case: Case) -> Iterator[tuple[str, Case]]:
    """What is changed, in words, and the changed case."""
    yield "targets", case.perturbed("target")
    yield "targets blanked", case.perturbed("target", blank=True, rows=case.beyond)
    if case.columns["past"]:
        yield "past covariates", case.perturbed("past")
    if case.columns["known"]:
        yield "known covariates beyond the horizon", case.perturbed("known", rows=case.beyond)
    if case.entity.max(initial=0) > 0:
        yield (
            "targets of one other series",
            case.perturbed("target", rows=case.after & (case.entity == case.entity.max())),
        )


def _scales(model) -> tuple:
    """Whether the scales are those of the rows given to fit, or of those before the validation block."""
    panel, own = model.history_, model.scaler_
    stop = panel.row_at(np.arange(len(panel.ids)), model.trained_until_) + 1
    rest = model.horizon_, own.calendar, own.divides
    made = (Scaler.fit(panel, end, *rest, codes=model.schema_.codes()) for end in (model._split(panel, stop), stop))
    right = any(_same_scales(own, other) for other in made)
    return "scales", "rows after those of the fit", right, "" if right else "they are not those of the rows of the fit"


def _same_scales(own: Scaler, other: Scaler) -> bool:
    count = len(other.ids)  # those of series met later come after
    pairs = [(getattr(own, name), getattr(other, name)) for name in ("target", "past", "known", "static")]
    moments = [(getattr(a, kind)[:count], getattr(b, kind)) for a, b in pairs for kind in ("center", "scale")]
    return all(np.array_equal(a, b) for a, b in moments)


def _fresh(forecaster, case: Case, earlier, start, stride: int) -> tuple[bool, str]:
    """Whether a fit at a cutoff gives what it gives after a fit at an earlier one."""
    alone = backtest(clone(forecaster), case.X, case.y, start=start, n_windows=1).forecasts
    back = {"stride": stride, "refit": True, "n_windows": 2}
    both = backtest(clone(forecaster), case.X, case.y, start=earlier, **back).forecasts
    cutoff = alone["cutoff"].min()
    return _same(*(_numbers(frame[frame["cutoff"] == cutoff]) for frame in (alone, both)))


def _numbers(forecasts: pd.DataFrame) -> np.ndarray:
    return forecasts.drop(columns="actual").select_dtypes("number").to_numpy()


# ---------------------------------------------------------------------------------------------- procedures


def _audit_procedure(procedure: Callable, X, y, start, horizon) -> Iterator[tuple]:
    if start is None:
        refuse(WHERE, "a procedure needs start=, the first row that it forecasts", "none", error=ParameterError)
    X, y = to_pandas(X)[0], to_pandas(y)[0]
    panel, schema = read_panel(X, y)
    horizon, _ = choose_horizon(horizon, None, panel.grid)
    cutoffs = find_cutoffs(None, panel, start, None, 1, 0, horizon)
    cut = np.full(len(panel.ids), panel.ordinal_at(cutoffs.entity, cutoffs.row).min())
    case = _case(schema, panel, cut, horizon, X, y)

    def forecast(case):
        given = (case.X, start) if case.y is None else (case.X, case.y, start)
        return np.asarray(procedure(*given), dtype="float64")

    first = forecast(case)
    for changed, other in _changes(case):
        yield ("procedure", changed, *_same(first, forecast(other)))
    yield ("procedure again", "nothing", *_same(first, forecast(case)))


# ---------------------------------------------------------------------------------------------- changing and comparing


def _same(one: np.ndarray, other: np.ndarray) -> tuple[bool, str]:
    if one.shape != other.shape:
        return False, f"{one.shape} forecasts became {other.shape}"
    if np.array_equal(one, other, equal_nan=True):
        return True, ""
    return False, f"forecasts moved by up to {np.nanmax(np.abs(one - other)):.3g}"


def _change(data, names, rows: np.ndarray, blank: bool):
    """A copy of a frame, Series or array with numbers changed in these rows, of these columns (None: all)."""
    if data is None:
        return None
    if isinstance(data, pd.DataFrame):
        changed = data.copy()
        for name in data.columns if names is None else names:
            if pd.api.types.is_numeric_dtype(data[name]) and not pd.api.types.is_bool_dtype(data[name]):
                changed[name] = _perturb(data[name].to_numpy(), rows, blank)
        return changed
    if names is not None and not len(names):
        return data
    if isinstance(data, pd.Series):
        return pd.Series(_perturb(data.to_numpy(), rows, blank), index=data.index, name=data.name)
    return _perturb(np.asarray(data), rows, blank)


def _perturb(values: np.ndarray, rows: np.ndarray, blank: bool) -> np.ndarray:
    """Perturb values (3x + 1): keeps sign and integrality, and what is above zero stays there."""
    if blank:
        out = values.astype("float64")
        out[rows] = np.nan
        return out
    out = values.copy()
    out[rows] = 3 * out[rows] + 1
    return out
