"""Folds: training rows and the cutoffs after them, the same for all models."""

from dataclasses import dataclass

import numpy as np

from forecastkit.data.panel import Panel
from forecastkit.data.schema import Schema
from forecastkit.data.sizes import held_out_rows, stride_within
from forecastkit.data.windows import Origins
from forecastkit.forecasters.base import Forecaster
from forecastkit.utils.exceptions import InputError
from forecastkit.utils.validation import check_int, refuse

WHERE = "compare"
#: Cutoffs of a fold, and forecasts of it over all series, at most.
MOST_CUTOFFS, MOST_ORIGINS = 200, 20_000
#: Horizons side by side that make one fold enough; with fewer, folds are fitted anew as time goes on.
ENOUGH_BLOCKS, FEW_DATA_FOLDS = 10, 3


@dataclass(frozen=True)
class Sizes:
    """How the last rows are parted.

    Attributes
    ----------
    horizon : int
    folds : int
    n_windows : int
        Cutoffs of a fold.
    stride : int
        Rows between them.
    """

    horizon: int
    folds: int
    n_windows: int
    stride: int

    @property
    def length(self) -> int:
        """Rows forecast in a fold."""
        return (self.n_windows - 1) * self.stride + self.horizon

    @property
    def rows(self) -> int:
        """Rows forecast in all folds."""
        return self.folds * self.length

    @classmethod
    def suited(cls, rows: int, series: int, horizon: int, folds=None, n_windows=None, stride=None) -> "Sizes":
        """What the user left open: the last tenth in one fold where that has many horizons, else three short folds.

        Parameters
        ----------
        rows : int
            Of the longest series.
        series : int
            Series and targets: with very many, cutoffs are fewer.
        """
        for name, value in (("folds", folds), ("n_windows", n_windows), ("stride", stride)):
            check_int(WHERE, name, value, optional=True)
        length = held_out_rows(rows, horizon)
        if folds is None:
            folds = 1 if length // horizon >= ENOUGH_BLOCKS else FEW_DATA_FOLDS
        if folds > 1:
            length = max(horizon, min(length, rows // (3 * folds)))
        places = length - horizon + 1
        if n_windows is not None:
            stride = stride or max(1, (places - 1) // max(n_windows - 1, 1))
            return cls(horizon, folds, n_windows, stride)
        stride = stride or stride_within(places, min(MOST_CUTOFFS, MOST_ORIGINS // series))
        return cls(horizon, folds, (places - 1) // stride + 1, stride)


@dataclass(frozen=True)
class Fold:
    """Rows that a model is fitted on, and the cutoffs that it forecasts from.

    Attributes
    ----------
    number : int
        From 0, in time.
    stop : ndarray of shape (n_ids,)
        The model is fitted on rows of each series before this one.
    origins : Origins
        Every channel of each cutoff.
    place : ndarray of shape (n,)
        Number of the cutoff that each origin belongs to.
    begin : ndarray of shape (n_ids,), optional
        Rows before this one are left out of the fit. Default: none.
    """

    number: int
    stop: np.ndarray
    origins: Origins
    place: np.ndarray
    begin: np.ndarray | None = None

    def seen(self, panel: Panel) -> Panel:
        """A copy of the rows to fit on, of series that have any."""
        before, present = self._before(panel)
        return before.take(present).copy()

    def _before(self, panel: Panel) -> tuple[Panel, np.ndarray]:
        """The rows to fit on, and the series that have any."""
        before = panel.between(panel.indptr[:-1] if self.begin is None else self.begin, self.stop)
        return before, np.flatnonzero(before.last_observed() >= before.indptr[:-1])

    def fit(self, model: Forecaster, panel: Panel, schema: Schema, weight: np.ndarray | None = None) -> Forecaster:
        """Fit a model on the rows before the cutoffs.

        Parameters
        ----------
        model : Forecaster
            Not fitted.
        panel : Panel
            All rows.
        schema : Schema
        weight : ndarray, optional
            Of all rows of the panel.
        """
        if weight is not None:
            present = self._before(panel)[1]
            weight = np.concatenate([weight[panel.indptr[e] : self.stop[e]] for e in present])
        return model._fit_panel(self.seen(panel), schema, weight)


def make_folds(panel: Panel, sizes: Sizes, calendar: bool) -> list[Fold]:
    """The folds at the end of the panel.

    Parameters
    ----------
    calendar : bool
        Whether rows have times: then a fold begins at one time for all series, and no series shows a model what is
        the future of another. Rows without times are counted back from the end of each series.

    Raises
    ------
    InputError
        Where the rows do not suffice.
    """
    ends = panel.cutoffs()
    ends = np.full(len(ends), ends.max()) if calendar else ends
    rows = int((panel.last_observed() + 1 - panel.first_observed()).max())
    if rows < sizes.rows + sizes.horizon + 2:
        rule = (
            f"{sizes.folds} fold{'s' * (sizes.folds > 1)} of {sizes.length} rows must leave "
            f"horizon + 2 = {sizes.horizon + 2} rows before the first"
        )
        remedy = "Pass a shorter horizon=, or fewer folds= or n_windows=."
        refuse(WHERE, rule, f"{rows} rows in the longest series", remedy)
    return [_fold(panel, sizes, ends, number) for number in range(sizes.folds)]


def most_folds(panel: Panel, counts, horizon: int, calendar: bool) -> list[Fold]:
    """The folds of the first of these numbers that the rows suffice for; see `make_folds`.

    Raises
    ------
    InputError
        What speaks against the last of them.
    """
    rows = int((panel.last_observed() + 1 - panel.first_observed()).max())
    for count in counts:
        try:
            return make_folds(panel, Sizes.suited(rows, len(panel.ids) * panel.channels, horizon, count), calendar)
        except InputError as error:
            refused = error
    raise refused


def _fold(panel, sizes, ends, number):
    entities = np.arange(len(panel.ids))
    first = panel.row_at(entities, ends) - (sizes.folds - number) * sizes.length
    row = first[:, None] + sizes.stride * np.arange(sizes.n_windows)
    inside = (row >= panel.first_observed()[:, None]) & (row + sizes.horizon <= panel.last_observed()[:, None])
    entity, place = np.nonzero(inside)
    if not len(entity):
        refuse(WHERE, "every fold must hold a complete window", f"none in fold {number}", "Pass fewer folds=.")
    origins = Origins.every_channel(entity, row[entity, place], panel.channels)
    stop = np.clip(first + 1, panel.indptr[:-1], panel.indptr[1:])
    return Fold(number, stop, origins, np.repeat(place, panel.channels))
