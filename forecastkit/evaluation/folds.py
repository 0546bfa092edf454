"""Folds: training rows and the cutoffs after them, the same for all models."""

from dataclasses import dataclass

import numpy as np

from forecastkit.data.panel import Panel
from forecastkit.data.sizes import held_out_rows, stride_within
from forecastkit.data.windows import Origins
from forecastkit.evaluation.results import covered_levels
from forecastkit.evaluation.seasonal_scales import seasonal_scales
from forecastkit.metrics.functions import symmetric_pairs
from forecastkit.uncertainty.residuals import observed_after
from forecastkit.utils.exceptions import InputError
from forecastkit.utils.validation import check_int, refuse

WHERE = "compare"
#: Cutoffs of a fold, and forecasts of it over all series, at most.
MOST_CUTOFFS, MOST_ORIGINS = 200, 20_000
#: Horizons side by side that make one fold enough; with fewer, folds are fitted anew as time goes on.
ENOUGH_BLOCKS, FEW_DATA_FOLDS = 10, 3
#: Origins whose quantiles are made at a time.
CHUNK = 2_000
#: Errors of a cutoff, in the order of the rows of `errors_of`.
METRICS = ("mae", "mse", "mase")


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
    """Rows that a model may see, and the forecasts asked of it.

    Attributes
    ----------
    number : int
        From 0, in time.
    stop : ndarray of shape (E,)
        Rows of each series before this one may be seen.
    origins : Origins
        Every channel of each cutoff.
    place : ndarray of shape (n,)
        Number of the cutoff that each origin belongs to.
    """

    number: int
    stop: np.ndarray
    origins: Origins
    place: np.ndarray

    def seen(self, panel: Panel) -> Panel:
        """A copy of the rows before the fold, of series that have any."""
        before = panel.between(panel.indptr[:-1], self.stop)
        present = np.flatnonzero(before.last_observed() >= before.indptr[:-1])
        return before.take(present).copy()

    def scale(self, panel: Panel, season: int) -> np.ndarray:
        """Mean seasonal difference of each origin's series in the rows before the fold, (n,): the scale of MASE."""
        scale = seasonal_scales(panel, self.stop, season)[0]
        return scale[self.origins.entity, self.origins.channel]


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


def errors_of(model, panel: Panel, fold: Fold, scale: np.ndarray, sizes: Sizes) -> dict:
    """Mean errors of each cutoff, and how many steps were observed: lists as long as there are cutoffs.

    The model sees each origin's past only; scales of series that it was not fitted on come from rows before the fold.
    """
    n_windows, model = sizes.n_windows, model._adapted(panel, fold.stop)
    forecast = model._forecast(panel, fold.origins)
    actual = observed_after(panel, fold.origins, sizes.horizon)
    error = np.abs(model._points(forecast) - actual)
    seen = ~np.isnan(actual)
    counts = np.bincount(fold.place, seen.sum(axis=1), n_windows)
    found = {"steps": counts.astype(int).tolist()}
    scaled = np.where(scale[:, None] > 0, error / scale[:, None], np.nan)
    for name, values, use in (
        ("mae", error, seen),
        ("mse", error**2, seen),
        ("mase", scaled, seen & (scale > 0)[:, None]),
    ):
        total = np.bincount(fold.place, np.where(use, values, 0.0).sum(axis=1), n_windows)
        used = np.bincount(fold.place, use.sum(axis=1), n_windows)
        found[name] = np.divide(total, used, out=np.full(n_windows, np.nan), where=used > 0).tolist()
    return {**found, "held": _held(model, panel, fold, forecast, actual, n_windows)}


def _held(model, panel, fold, forecast, actual, n_windows) -> dict[str, list[int]]:
    """Steps of each cutoff that central intervals held, by their coverage; nothing where the model has none."""
    levels = covered_levels(model)
    if levels is None or (model._trained_levels is None and model.residuals_ is None):
        return {}
    pairs = symmetric_pairs(levels)
    held = {f"{share:g}": np.zeros(n_windows) for share, _, _ in pairs}
    for low in range(0, len(fold.origins), CHUNK):  # quantiles take many times the room of points
        part = slice(low, low + CHUNK)
        quantiles = model._quantiles(panel, fold.origins[part], forecast[part], levels)
        for share, lower, upper in pairs:
            ends = quantiles[..., levels.index(lower)], quantiles[..., levels.index(upper)]
            inside = (ends[0] <= actual[part]) & (actual[part] <= ends[1])
            held[f"{share:g}"] += np.bincount(fold.place[part], inside.sum(axis=1), n_windows)
    return {share: counts.astype(int).tolist() for share, counts in held.items()}
