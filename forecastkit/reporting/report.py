"""`forecastkit.report`: backtest a model, forecast with it, and write both as one HTML page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sklearn.base import clone

from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.data.output_frames import history_frame
from forecastkit.evaluation.backtesting import backtest as run_backtest
from forecastkit.evaluation.results import Backtest, covered_levels
from forecastkit.plotting.style import format_time
from forecastkit.reporting.page import Section, render
from forecastkit.reporting.sections import (
    backtest_section,
    calibration_section,
    data_section,
    forecast_section,
    importance_section,
    tried_section,
)
from forecastkit.utils.atomic_write import atomic_write
from forecastkit.utils.exceptions import InputError
from forecastkit.utils.validation import refuse

if TYPE_CHECKING:
    import pandas as pd

    from forecastkit.comparison.results import Comparison
    from forecastkit.forecasters.base import Forecaster
    from forecastkit.utils.types import Data, Path

#: Part of the longest series that is backtested, and cutoffs of a backtest at most.
TEST_PART, MAX_CUTOFFS = 0.25, 30


@dataclass(frozen=True)
class Report:
    """A report as a page.

    Parameters
    ----------
    html : str
        The page.
    backtest : Backtest
        The results that it shows.
    """

    html: str = field(repr=False)
    backtest: Backtest

    def save(self, path: Path) -> None:
        """Write the page to the file `path`.

        Raises
        ------
        InputError
            If the path cannot be written.
        """
        try:
            with atomic_write(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
                file.write(self.html)
        except OSError as error:
            refuse("report", "path must be writable", f"{str(path)!r} ({error.strerror})")


def report(
    forecaster: Forecaster,
    X: Data,
    y: Data | None = None,
    *,
    path: Path | None = None,
    backtest: Backtest | Mapping[str, Any] | None = None,
    comparison: Comparison | None = None,
    importance: pd.DataFrame | None = None,
    title: str | None = None,
) -> Report:
    """Report on a model: its forecast, its accuracy in a backtest, its intervals, and the data.

    The page is one file that loads nothing from a network, in light and dark, readable on a phone, and printable. Plots
    over time can be zoomed.

    Parameters
    ----------
    forecaster : Forecaster
        Fitted: its next forecast is shown. Not fitted: a clone is fitted on all rows for the forecast. Either way the
        backtest is that of a clone that is fitted on the rows up to the first cutoff, unless a result is given.
    X, y
        As `fit` takes them: all rows that are known.
    path : path-like, optional
        Where to write the page.
    backtest : Backtest or dict, optional
        A result of `forecastkit.backtest` to show, or arguments of a new one, such as ``{"n_windows": 20}``. By default
        at most 30 cutoffs over the last quarter of the rows.
    comparison : Comparison, optional
        A result of `forecastkit.compare`, whose leaderboard is shown.
    importance : DataFrame, optional
        A result of `forecastkit.importance`.
    title : str, optional

    Returns
    -------
    Report

    Raises
    ------
    InputError
        As `fit` and `backtest`, and if `path` cannot be written.
    """
    fresh = clone(forecaster)
    model = forecaster if hasattr(forecaster, "history_") else clone(forecaster).fit(X, y)
    panel, schema = read_panel(X, y, **fresh._reading())
    history = history_frame(panel, schema)
    test = backtest
    if test is None or isinstance(test, Mapping):
        cutoffs, apart = _cutoffs(int(panel.lengths.max()), model.horizon_)
        usual = {"n_windows": cutoffs, "stride": apart, "quantile_levels": covered_levels(model)}
        fresh.set_params(horizon=model.horizon_)
        test = run_backtest(fresh, X, y, **usual | dict(test or {}))
    name = type(forecaster).__name__
    sections = [
        _forecast(model, history),
        tried_section(test, comparison, getattr(model, "leaderboard_", None), name),
        backtest_section(test, history),
        calibration_section(test),
        *([] if importance is None else [importance_section(importance)]),
        data_section(panel, schema),
    ]
    subtitle = f"{name}, {model.horizon_} steps after {format_time(panel.grid.timestamps(panel.cutoffs()).max())}"
    made = Report(render(title or f"Forecast of {', '.join(map(str, schema.target))}", subtitle, sections), test)
    if path is not None:
        made.save(path)
    return made


def _forecast(model: Forecaster, history: pd.DataFrame) -> Section:
    try:
        return forecast_section(model.forecast(), history)
    except InputError as error:  # future covariates are not known
        return Section("Forecast", [f"There is no forecast after the last row. {error}"])


def _cutoffs(rows: int, horizon: int) -> tuple[int, int]:
    """Return the number of cutoffs and the rows between them."""
    tested = max(int(TEST_PART * rows), horizon)
    stride = max(1, -(-(tested - horizon) // MAX_CUTOFFS))
    return (tested - horizon) // stride + 1, stride
