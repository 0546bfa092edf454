"""Folds: training rows and subsequent cutoffs, common to all models."""

from dataclasses import dataclass

import numpy as np

from forecastkit.data.panel import Panel
from forecastkit.data.schema import Schema
from forecastkit.data.sizes import held_out_ends, held_out_length, held_out_rows, stride_within
from forecastkit.data.windows import Origins
from forecastkit.forecasters.base import Forecaster
from forecastkit.utils.exceptions import InputError
from forecastkit.utils.validation import check_int, refuse

WHERE = "compare"
#: Number of horizons from which one fold is sufficient; with fewer, several folds are used.
ENOUGH_BLOCKS, FEW_DATA_FOLDS = 10, 3


@dataclass(frozen=True)
class Sizes:
    """Division of the last rows into folds."""

    horizon: int
    folds: int
    n_windows: int  #: Number of cutoffs per fold
    stride: int  #: Rows between cutoffs

    @property
    def length(self) -> int:
        """Return the number of rows forecast in a fold."""
        return (self.n_windows - 1) * self.stride + self.horizon

    @property
    def rows(self) -> int:
        """Return the number of rows forecast in all folds."""
        return self.folds * self.length

    @classmethod
    def suited(cls, rows: int, series: int, horizon: int, folds=None, n_windows=None, stride=None) -> "Sizes":
        """Choose unspecified sizes: one fold of the last tenth if it has many horizons, else three short folds.

        `rows` are those of the longest series. With very many series and targets there are fewer cutoffs.
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
        stride = stride or stride_within(places, series)
        return cls(horizon, folds, (places - 1) // stride + 1, stride)


@dataclass(frozen=True)
class Fold:
    """Training rows of a fold, and its cutoffs."""

    number: int  #: Number of the fold from 0, in time
    stop: np.ndarray  #: (n_ids,): the model is fitted to the rows of each series before this one
    origins: Origins  #: All channels of each cutoff
    place: np.ndarray  #: (n,): number of the cutoff of each origin
    begin: np.ndarray | None = None  #: (n_ids,): rows before this one are excluded from the fit; by default none
    horizon: int | None = None  #: That of all rows, as fewer may have a shorter default

    def seen(self, panel: Panel) -> Panel:
        """Return a copy of the training rows, for series with any."""
        before, present = self._before(panel)
        return before.take(present).copy()

    def _before(self, panel: Panel) -> tuple[Panel, np.ndarray]:
        """Return the training rows, and the series with any."""
        before = panel.between(panel.indptr[:-1] if self.begin is None else self.begin, self.stop)
        return before, np.flatnonzero(before.last_observed() >= before.indptr[:-1])

    def fit(self, model: Forecaster, panel: Panel, schema: Schema, weight: np.ndarray | None = None) -> Forecaster:
        """Fit a model on the rows before the cutoffs; panel and weights are those of all rows."""
        if weight is not None:
            present = self._before(panel)[1]
            weight = np.concatenate([weight[panel.indptr[e] : self.stop[e]] for e in present])
        return with_horizon(model, self.horizon)._fit_panel(self.seen(panel), schema, weight)


def with_horizon(model: Forecaster, horizon: int | None) -> Forecaster:
    """Return the unfitted model, with this horizon if it has none."""
    configured = model._configured()
    configured.horizon = configured.horizon or horizon
    return model


def make_folds(panel: Panel, sizes: Sizes, calendar: bool) -> list[Fold]:
    """Return the folds at the end of the panel.

    If rows have times (`calendar`, see `held_out_ends`), a fold starts at one time for all series; other folds are
    counted from the end of each series.
    """
    ends = held_out_ends(panel, sizes.length, sizes.horizon, calendar)
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
    """Return the folds of the first of these numbers for which there are enough rows; see `make_folds`."""
    found = [suited_sizes(panel, horizon, calendar, count) for count in counts]
    for sizes in [sizes for sizes, rows in found if sizes.rows + horizon + 2 <= rows] or [found[-1][0]]:
        try:
            return make_folds(panel, sizes, calendar)
        except InputError as error:
            refused = error
    raise refused


def suited_sizes(panel: Panel, horizon: int, calendar: bool, *choices: int | None) -> tuple[Sizes, int]:
    """Return `Sizes.suited` to the rows of the panel's series, and their number."""
    rows = int((panel.last_observed() + 1 - panel.first_observed()).max())
    sizes = Sizes.suited(rows, len(panel.ids) * panel.channels, horizon, *choices)
    rows = held_out_length(panel, held_out_ends(panel, sizes.length, horizon, calendar))
    return Sizes.suited(rows, len(panel.ids) * panel.channels, horizon, *choices), rows


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
    return Fold(number, stop, origins, np.repeat(place, panel.channels), horizon=sizes.horizon)
