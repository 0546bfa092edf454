"""Look-ahead audit: tests whether forecasts depend on rows after their cutoff."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from forecastkit.data.ingest.read_panel import read_more, read_panel, read_rows, to_pandas
from forecastkit.data.panel import Panel, spread
from forecastkit.data.sizes import choose_horizon, validation_start
from forecastkit.evaluation.backtesting import backtest, find_cutoffs
from forecastkit.evaluation.folds import with_horizon
from forecastkit.forecasters.base import Forecaster
from forecastkit.preprocessing.scaler import Scaler
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.mixins import Printable
from forecastkit.utils.types import Data
from forecastkit.utils.validation import check_int, refuse

WHERE = "audit"


@dataclass(frozen=True, repr=False)
class Audit(Printable):
    """Result of an audit.

    Attributes
    ----------
    findings : DataFrame
        A row per check: ``check``, what was ``changed``, whether it ``passed``, and ``detail`` of a failure.
    """

    findings: pd.DataFrame

    @property
    def passed(self) -> bool:
        """Whether no check found a leak."""
        return bool(self.findings["passed"].all())

    def summary(self) -> str:
        """Return a description of the audit in one line."""
        leaks = int((~self.findings["passed"].astype(bool)).sum())
        count = len(self.findings)
        found = f"{leaks} found a leak" if leaks else "no leak"
        return f"Audit of {count} check{'s' * (count != 1)}: {found}"

    def _shown(self):
        return self.findings.sort_values("passed", kind="stable")

    def __str__(self):
        marks = self.findings["passed"].map({True: "ok", False: "LEAK"})
        lines = zip(marks, self.findings["check"], self.findings["changed"], self.findings["detail"], strict=True)
        return "\n".join(f"{mark:4}  {check}: {changed}  {detail}".rstrip() for mark, check, changed, detail in lines)


@dataclass(frozen=True)
class Case:
    """Data, and which of its rows lie after the cutoff and beyond the horizon."""

    X: object  #: Each row is a step
    y: object  #: May be None
    columns: dict  #: Columns of `X` by role; targets only without `y`
    after: np.ndarray  #: (rows,), bool: which rows lie after the cutoff of their series
    beyond: np.ndarray  #: (rows,), bool: which lie more than a horizon after it
    entity: np.ndarray  #: (rows,)

    def perturbed(self, *roles: str, rows: np.ndarray | None = None, blank: bool = False) -> "Case":
        """Return the data with the cells of these roles perturbed or blanked in the rows after the cutoff."""
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
    """Change all values after a cutoff and check that forecasts from the cutoff stay identical, bit for bit.

    Parameters
    ----------
    forecaster : Forecaster, or callable
        An unfitted forecaster is also fitted to rows before the cutoff of changed data, and at two cutoffs in turn. Of
        a fitted forecaster the forecasts after its own cutoff are checked. A callable is a complete procedure from raw
        data to forecasts, including scaling, features and training: ``procedure(X, start)``, or ``procedure(X, y,
        start)`` with a y, returns the forecasts of the `horizon` rows from `start`.
    X, y : as in `fit`
        Rows before and after the cutoff.
    start : label or int, optional
        First row to forecast, as in `backtest`; required for a procedure.
    horizon : int, optional
        Number of steps that a procedure forecasts; by default as in forecasters.
    refits : bool
        Whether to fit an unfitted forecaster, about six times.

    Returns
    -------
    Audit
        The result, with ``passed`` and ``findings`` by check.

    Raises
    ------
    InputError
        If `start` leaves nothing to forecast, or the data are invalid.

    Notes
    -----
    Targets, past covariates, and future covariates beyond the horizon are perturbed, blanked, and perturbed in one
    series only. Scales must be those of the training rows; loaded forecasters do not have these. A fit must not depend
    on earlier fits. An audit cannot detect leaks in the preparation of the given data; pass the procedure that prepares
    them instead.
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

    if not model.history_is_tail_:
        yield _scales(model)
    first = forecast(case)
    for changed, other in _changes(case):
        yield ("forecast", changed, *_same(first, forecast(other)))
    if not fitted and refits:
        changed = forecast(case.perturbed("target", "past"), clone(forecaster))
        yield ("fit and forecast", "targets and past covariates", *_same(first, changed))
        yield ("fit again", "nothing", *_same(first, forecast(case, clone(forecaster))))
        found = _check_refit(forecaster, case, earlier, start, model.horizon_)
        yield ("fit after other fits", "the cutoff before it", *found)


def _case_of(forecaster, X, y, start) -> tuple[Case, object, object, Forecaster]:
    """Return the case at the first cutoff, start labels a horizon earlier and at it, and the fitted forecaster."""
    if hasattr(forecaster, "history_"):
        schema, model = forecaster.schema_, forecaster
        panel, horizon = (
            read_more(schema, forecaster.history_.grid, X, y, remembered=forecaster.history_),
            forecaster.horizon_,
        )
    else:
        forecaster._check_parameters()
        panel, schema = read_panel(X, y, **forecaster._reading())
        configured = forecaster._configured()
        horizon = choose_horizon(configured.horizon, configured.season_length, panel, schema)
        model = None
    cutoffs = find_cutoffs(model, panel, start, None, 1, 0, horizon)
    ordinal = panel.ordinal_at(cutoffs.entity, cutoffs.row)
    cut = np.full(len(panel.ids), ordinal.min())
    case = _case(schema, panel, cut, horizon, X, y)
    if model is None:
        stop = panel.row_at(np.arange(len(panel.ids)), cut) + 1
        seen = panel.between(panel.indptr[:-1], stop)
        present = np.flatnonzero(seen.last_observed() >= seen.indptr[:-1])
        model = with_horizon(clone(forecaster), horizon)._fit_panel(seen.take(present).copy(), schema)
    return case, *(_label(panel, cut[0] + 1 - back) for back in (horizon, 0)), model


def _label(panel: Panel, ordinal: int):
    """Return the `start` argument for which this ordinal is the first row to forecast."""
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
    """Yield the description of each change and the changed case."""
    yield "targets", case.perturbed("target")
    yield "targets blanked", case.perturbed("target", blank=True, rows=case.beyond)
    if case.columns["past"]:
        yield "past covariates", case.perturbed("past")
    if case.columns["known"]:
        yield "known covariates beyond the horizon", case.perturbed("known", rows=case.beyond)
    if case.entity.max(initial=0) > 0:
        rows = case.after & (case.entity == case.entity.max())
        yield "targets of one other series", case.perturbed("target", rows=rows)


def _scales(model) -> tuple:
    """Check that the scales are those of the training rows, or of those before the validation block."""
    panel, scaler = model.history_, model.scaler_
    stop = panel.row_at(np.arange(len(panel.ids)), model.trained_until_) + 1
    rest = model.horizon_, scaler.calendar, scaler.divides
    split = validation_start(panel.indptr[:-1], stop, model.validation_size, model.horizon_)
    made = (Scaler.fit(panel, end, *rest, codes=model.schema_.codes()) for end in (split, stop))
    are_equal = any(_same_scales(scaler, other) for other in made)
    detail = "" if are_equal else "they are not those of the training rows"
    return ("scales", "rows after the training rows", are_equal, detail)


def _same_scales(scaler: Scaler, other: Scaler) -> bool:
    count = len(other.ids)  # series added later come last
    pairs = [(getattr(scaler, name), getattr(other, name)) for name in ("target", "past", "known", "static")]
    moments = [(getattr(a, kind)[:count], getattr(b, kind)) for a, b in pairs for kind in ("center", "scale")]
    return all(np.array_equal(a, b) for a, b in moments)


def _check_refit(forecaster, case: Case, earlier, start, stride: int) -> tuple[bool, str]:
    """Check that a fit at a cutoff does not depend on a fit at an earlier cutoff."""
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
    horizon = choose_horizon(horizon, None, panel, schema)
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
    """Return a copy of a frame, Series or array with perturbed numbers in these rows and columns (None: all)."""
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
    """Perturb values (3x + 1), which preserves sign and integrality, or replace them by NaN."""
    if blank:
        out = values.astype("float64")
        out[rows] = np.nan
        return out
    out = values.copy()
    out[rows] = 3 * out[rows] + 1
    return out
