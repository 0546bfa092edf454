"""Sections of a report, each made from one result of the library."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from forecastkit.evaluation.results import coverage_by_third
from forecastkit.plotting.inputs import find_keys
from forecastkit.plotting.one_call import plot
from forecastkit.plotting.style import BLUE, SIZE, explain, format_time, head, line, plain_times, style
from forecastkit.reporting.page import Section

if TYPE_CHECKING:
    from forecastkit.comparison.results import Comparison
    from forecastkit.data.panel import Panel
    from forecastkit.data.schema import Schema
    from forecastkit.evaluation.results import Backtest

#: Series drawn, rows of a table, and rows of a series from which on it is checked for a constant value.
MAX_SERIES, MAX_ROWS, FEW = 24, 24, 10


def _axes(height: float = 1.0):
    figure = Figure(figsize=(SIZE[0], height * SIZE[1]), layout="constrained")
    return figure.subplots()


def _keys(frame: pd.DataFrame) -> list[str]:
    """Return the columns that identify series and targets."""
    _, series_id = find_keys(frame)
    names = [] if series_id is None else [series_id] if isinstance(series_id, str) else list(series_id)
    return [*names, *(["target"] if "target" in frame else [])]


def _groups(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the name and rows of each series and target, in order."""
    keys = _keys(frame)
    if not keys:
        return [("", frame)]
    grouped = frame.groupby(keys, sort=False, observed=True)
    return [(", ".join(map(str, name)), rows) for name, rows in grouped]


def _of_same(history: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a history with the series and target of the given rows."""
    for key in _keys(rows):
        if key in history:
            history = history[history[key] == rows[key].iloc[0]]
    return history


def forecast_section(forecast: pd.DataFrame, history: pd.DataFrame) -> Section:
    """Return the section with the next forecasts of the series and their intervals."""
    groups, shown, text = _groups(forecast), [], []
    for name, rows in groups[:MAX_SERIES]:
        shown.append((name, plot(rows, _of_same(history, rows), ax=_axes(), title=name or "Forecast").figure))
    if len(groups) > MAX_SERIES:
        text.append(f"The first {MAX_SERIES} of {len(groups):,} series are shown.")
    if len(groups) > 1:
        text.append(f"Choose a series to see its forecast. The table is that of {groups[0][0]}.")
    first = groups[0][1].drop(columns=["cutoff", *_keys(forecast)]).head(MAX_ROWS)
    figures, choices = ((), shown) if len(groups) > 1 else ([shown[0][1]], ())
    return Section("Forecast", text, figures, [first.set_index(first.columns[0])], choices=choices)


def tried_section(
    test: Backtest, comparison: Comparison | None, leaderboard: pd.DataFrame | None, name: str
) -> Section:
    """Return the section with the models tried and the comparison with the simplest forecast."""
    skill = float(test.scores["skill"].iloc[0])
    verdict = f"{100 * abs(skill):.0f} % {'less' if skill >= 0 else 'more'} than that of the seasonal naive forecast"
    text = [f"The mean absolute error of {name} in the backtest is {verdict}."]
    if skill < 0:
        text.append("The seasonal naive forecast is better: do not use this model as it is.")
    table = test.scores.rename(index={"forecaster": name})
    columns = [column for column in ("mae", "rmse", "bias", "mase", "skill") if column in table]
    tables, figures = [table[columns].rename(columns=str.upper)], []
    if comparison is not None:
        text.append(f"Of {len(comparison.table)} models that were compared, {comparison.best} has the least error.")
        figures.append(plot(comparison, ax=_axes(0.3 + 0.12 * len(comparison.table))).figure)
    if leaderboard is not None:
        text.append("Scores of the candidates are mean absolute errors relative to the seasonal naive forecast.")
        columns = [column for column in ("forecaster", "score", "member", "seconds") if column in leaderboard]
        tables.append(leaderboard[columns].head(MAX_ROWS).set_index(columns[0]))
    return Section("What was tried", text, (), tables, figures)


def backtest_section(test: Backtest, history: pd.DataFrame) -> Section:
    """Errors by step and by cutoff, and the windows that were forecast best and worst."""
    frame = test.forecasts
    cutoffs, horizon = frame["cutoff"].nunique(), int(frame["step"].max())
    text = [
        f"{cutoffs:,} past forecasts of {horizon} steps, made from {format_time(frame['cutoff'].min())} to "
        f"{format_time(frame['cutoff'].max())}, were compared with the actuals. "
        "Each saw only the rows up to its cutoff."
    ]
    figures = [plot(test, ax=_axes()).figure, plot(test, kind="steps", ax=_axes(0.7)).figure, _by_cutoff(test)]
    for word, window in zip(("Best", "Worst"), _extremes(frame), strict=True):
        error = float((window["actual"] - window["forecast"]).abs().mean())
        name = ", ".join(str(window[key].iloc[0]) for key in _keys(window))
        title = f"{word} window{': ' if name else ''}{name}, mean absolute error {error:,.3g}"
        figures.append(plot(window, _of_same(history, window), ax=_axes(), title=title).figure)
    return Section("Backtest", text, figures)


def _by_cutoff(test):
    errors = test.by("cutoff")["mae"]
    axes = _axes(0.7)
    cutoffs = plain_times(pd.Series(errors.index, name="cutoff"))
    line(axes, cutoffs, errors.to_numpy("float64"), BLUE, "mean absolute error")
    axes.set_ylim(bottom=0)
    style(axes, cutoffs)
    explain(axes, "mean absolute error of all series by the cutoff of the forecast")
    head(axes, "Error by cutoff")
    return axes.figure


def _extremes(frame):
    """Return the windows with the smallest and largest errors relative to their series' mean error."""
    windows = frame.assign(error=(frame["actual"] - frame["forecast"]).abs()).dropna(subset=["error"])
    keys = [*_keys(frame), "cutoff"]
    errors = windows.groupby(keys, observed=True)["error"].mean()
    own = errors.groupby(level=keys[:-1], observed=True).transform("mean") if keys[:-1] else errors.mean()
    relative = errors / own
    for place in (relative.idxmin(), relative.idxmax()):
        rows = frame
        for key, value in zip(keys, place if isinstance(place, tuple) else (place,), strict=True):
            rows = rows[rows[key] == value]
        yield rows


def calibration_section(test: Backtest) -> Section:
    """Return the section with the coverage of intervals, overall and by thirds of the cutoffs."""
    if not len(test.coverage):
        return Section("Intervals", ["The model gives no symmetric quantiles to check."])
    table = coverage_by_third(test)
    table.insert(0, "all", test.coverage["share"])
    table.index = [f"{100 * level:g} % interval" for level in table.index]
    text = [
        "Per cent of the actuals inside each interval, in all and in each third of the cutoffs. Where it changes much "
        "from third to third, past errors are a poor guide to coming ones."
    ]
    return Section("Intervals", text, (), [100 * table])


def importance_section(importance: pd.DataFrame) -> Section:
    """Return the section with the importance of covariates."""
    text = (
        "How much the mean absolute error rises if a covariate is replaced by its values at other times, relative to "
        "the error with the true values: 0.25 is a quarter more."
    )
    return Section("What the covariates contribute", [text], (), [importance.head(MAX_ROWS)])


def data_section(panel: Panel, schema: Schema) -> Section:
    """Return the section with unusual properties of the data."""
    names = [", ".join(map(str, key)) if isinstance(key, tuple) else str(key) for key in panel.ids]
    found = []
    for entity, name in enumerate(names):
        rows = slice(panel.indptr[entity], panel.indptr[entity + 1])
        for channel, target in enumerate(schema.target):
            of = " of ".join(filter(None, (str(target), name if len(names) > 1 else "")))
            found += [f"{of}: {problem}." for problem in _problems(np.asarray(panel.target[rows, channel], "float64"))]
    text = [f"{panel.rows:,} rows, {len(names):,} series, frequency {panel.grid.name}."]
    text += found[:MAX_ROWS] or ["No value is missing, no series is constant, and no value is far from all others."]
    if len(found) > MAX_ROWS:
        text.append(f"And {len(found) - MAX_ROWS:,} more.")
    return Section("Data", text)


def _problems(values):
    """Return descriptions of unusual properties of one series."""
    missing = np.isnan(values)
    seen = values[~missing]
    if missing.any():
        edges = np.flatnonzero(np.diff(np.concatenate([[0], missing.astype(int), [0]])))
        longest = int((edges[1::2] - edges[::2]).max())
        yield f"{missing.sum():,} of {len(values):,} values are missing, at most {longest:,} in a row"
    if len(seen) >= FEW:
        middle = np.median(seen)
        spread = np.median(np.abs(seen - middle))
        if seen.min() == seen.max():
            yield f"all values are {seen[0]:g}"
        elif spread and (far := int((np.abs(seen - middle) > 12 * spread).sum())):
            yield f"{far:,} value{'s' * (far > 1)} more than 12 median deviations from the median"
