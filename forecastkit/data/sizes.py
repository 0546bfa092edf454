"""Default horizon, season, lookback, patch and rows of held-out blocks, for estimators and the command line alike."""

import math

import numpy as np

from forecastkit.data.aliases import FIXED
from forecastkit.data.panel import Panel
from forecastkit.data.schema import Schema
from forecastkit.data.season_detection import infer_season
from forecastkit.data.time_grid import TimeGrid
from forecastkit.data.week_slots import DAY, steps_of_day

#: Largest default lookback in steps: a linear forecast has as many coefficients per step of the horizon.
MAX_LOOKBACK = 1_920
#: Smallest default lookback in steps without a season.
MIN_LOOKBACK = 600
#: Number of seasons in the default lookback.
SEASONS = 3
#: Slots of the week up to which the usual horizon is that of days.
MOST_SLOTS = 14
#: Largest usual horizon in steps, for steps shorter than about five minutes, and the one if no span suits.
MAX_USUAL, USUAL_STEPS = 480, 100
#: Usual horizon of rows without times, and of times without a season.
USUAL_WITHOUT_TIMES = 12
MIN_TOKENS = 12
#: Largest number of cutoffs of a test, per series and in total.
MAX_CUTOFFS, MAX_ORIGINS = 200, 20_000
#: Smallest fraction of the series that held-out rows at the end of the latest ones must reach.
MIN_REACHED = 0.25


def choose_horizon(horizon: int | None, season_length: int | None, panel: Panel, schema: Schema) -> int:
    """Return the horizon: as given, else the usual one of the frequency, at most a fifth of the rows.

    Without times it is a given season length, else `USUAL_WITHOUT_TIMES`; for arrays of covariates and targets without
    times, as scikit-learn passes them, it is 1.
    """
    if horizon:
        return int(horizon)
    grid = panel.grid
    if schema.supervised and not grid.is_time:
        return int(season_length or 1)
    usual = season_length if season_length and not grid.is_time else usual_horizon(grid)
    longest = int((panel.last_observed() + 1 - panel.indptr[:-1]).max(initial=1))
    short = max(1, min(int(usual), longest // 5))
    ends = held_out_ends(panel, held_out_rows(longest, short), short, grid.is_time or schema.time is not None)
    return max(1, min(int(usual), held_out_length(panel, ends) // 5))


def choose_season(season_length: int | None, panel: Panel, stop: np.ndarray) -> int:
    """Return the season length in steps: as given, else that of the frequency, or, without times, of the values.

    Parameters
    ----------
    season_length : int, optional
    panel : Panel
    stop : ndarray of int, (n_series,)
        Row of each series after the last one that may be looked at.
    """
    return int(season_length or (panel.grid.seasons[0] if panel.grid.is_time else infer_season(panel, stop)))


def choose_lookback(horizon: int, seasons: tuple[int, ...], rows: int) -> int:
    """Return a default lookback in steps: about three of the longest season, or three horizons.

    It is at most a quarter of the rows and at most `MAX_LOOKBACK`. Of longer seasons the longest that fits is used, in
    whole seasons.

    Parameters
    ----------
    horizon : int
    seasons : tuple of int
        Season lengths in steps; 1 for none.
    rows : int
        Number of rows of the longest series.
    """
    fitting = [season for season in seasons if 1 < season <= MAX_LOOKBACK]
    if fitting:
        season = max(fitting)
        seasonal = min(SEASONS, MAX_LOOKBACK // season) * season
    else:
        seasonal = MIN_LOOKBACK if max(seasons) > 1 else 0
    return max(1, min(max(seasonal, SEASONS * horizon), rows // 4, MAX_LOOKBACK))


def choose_patch(season: int, lookback: int, horizon: int) -> int:
    """Return the longest patch that divides the season, does not exceed the horizon and leaves twelve tokens."""
    most = max(min(horizon, lookback // MIN_TOKENS), 1)
    return max(p for p in range(1, most + 1) if season == 1 or season % p == 0)


def usual_horizon(grid: TimeGrid) -> int:
    """Return the common horizon at this frequency, in steps.

    For example two days of hours or quarters of an hour, two weeks of days, a quarter of weeks, a year of months; for
    minutes and seconds a day, an hour or a minute.
    """
    if grid.kind == "business":
        return 2 * (grid.week.count("1") if grid.week.count("1") <= MOST_SLOTS else steps_of_day(grid.week))
    if grid.kind == "month":
        return {1: 12, 3: 8, 12: 6}.get(grid.step, 6)
    if grid.kind == "position":
        return USUAL_WITHOUT_TIMES
    if grid.step == DAY:
        return 14
    if grid.step == 7 * DAY:
        return 13
    return _usual_short_steps(grid) if grid.seasons[0] > 1 else USUAL_WITHOUT_TIMES


def _usual_short_steps(grid):
    """Return the common horizon for steps that divide a day."""
    season = grid.seasons[0]
    weekly = 14 * season if season <= 24 else 7 * season
    if weekly <= MAX_LOOKBACK and grid.step >= FIXED["min"]:
        return 2 * season
    spans = [span // grid.step for span in (DAY, FIXED["h"], FIXED["min"], FIXED["s"]) if span % grid.step == 0]
    return next((steps for steps in spans if 1 < steps <= MAX_USUAL), USUAL_STEPS)


def held_out_rows(rows: int, horizon: int) -> int:
    """Return the rows of a test: two horizons or a tenth of the rows, at most a quarter, but at least a horizon."""
    return max(horizon, min(max(2 * horizon, rows // 10), rows // 4))


def held_out_ends(panel: Panel, rows: int, horizon: int, calendar: bool) -> np.ndarray:
    """Return the ordinal of the last held-out row of each series.

    Held-out rows are the latest of all series, so that no series reveals the future of another. They are the latest of
    each series if rows have no times, or if fewer than `MIN_REACHED` of the series have a window in the latest of all,
    such as in collections of series that end in different years.

    Parameters
    ----------
    panel : Panel
    rows : int
        Number of held-out rows.
    horizon : int
    calendar : bool
        Whether rows have times.

    Returns
    -------
    ndarray of int, (n_series,)
    """
    ends = panel.cutoffs()
    if calendar and (ends >= ends.max() - rows + horizon).mean() >= MIN_REACHED:
        return np.full(len(ends), ends.max())
    return ends


def held_out_length(panel: Panel, ends: np.ndarray) -> int:
    """Return the rows of a series by which sizes are chosen: of the longest, or the median if `ends` differ."""
    lengths = panel.last_observed() + 1 - panel.first_observed()
    return int(np.median(lengths) if (ends != ends[0]).any() else lengths.max())


def validation_start(first: np.ndarray, stop: np.ndarray, size: float, horizon: int) -> np.ndarray:
    """Return the first validation row of each series; series without room for a training window have none.

    Parameters
    ----------
    first, stop : ndarray of int, (n_series,)
        First row of each series, and the row after its last observed one.
    size : int or float
        Rows of the validation block, or their fraction of each series.
    horizon : int
    """
    if not size:
        return stop
    lengths = stop - first
    rows = np.full(len(lengths), size) if isinstance(size, (int, np.integer)) else (size * lengths).astype(int)
    rows = np.maximum(rows, horizon)
    return np.where(lengths - rows > horizon, stop - rows, stop)


def stride_within(places: int, series: int) -> int:
    """Return the rows between cutoffs such that they are at most 200, and at most 20,000 over all series.

    Parameters
    ----------
    places : int
        Number of possible cutoffs.
    series : int
        Number of series and targets.
    """
    return max(1, math.ceil(places / max(min(MAX_CUTOFFS, MAX_ORIGINS // series), 1)))
