"""How far a forecast looks ahead and back, and how many rows are held out: chosen here, for all callers alike.

Estimators follow the seasons of the frequency: a horizon of one season, a lookback of three. The command line starts
from what people usually want at a frequency, see `usual_sizes`, and shortens it where rows are few.
"""

import math

from forecastkit.data.time_grid import DAY, FIXED, TimeGrid

#: Steps of a lookback at most where we choose it: a linear forecast has as many coefficients for every step ahead.
MOST_LOOKBACK = 1_920
#: Steps of a lookback that sees no whole season, at least.
LEAST_LOOKBACK = 600
#: Seasons of a lookback where we choose it, in estimators.
SEASONS = 3
#: Steps of a usual horizon at most, at steps shorter than five minutes or so.
MOST_USUAL = 480
FEWEST_TOKENS = 12


def choose_horizon(horizon: int | None, season_length: int | None, grid: TimeGrid) -> tuple[int, int]:
    """Horizon and season length in use: where not given, one season of the frequency."""
    season = int(season_length or grid.seasons[0])
    return int(horizon or season), season


def choose_lookback(horizon: int, seasons: tuple[int, ...], rows: int) -> int:
    """Steps of the past for a forecast: about three of the longest season, or three horizons.

    Never more than a quarter of the rows nor than `MOST_LOOKBACK`: of seasons too long for that, the longest that fits
    counts, in whole seasons.

    Parameters
    ----------
    horizon : int
    seasons : tuple of int
        Lengths in steps; 1 is none.
    rows : int
        Of the longest series.
    """
    fitting = [season for season in seasons if 1 < season <= MOST_LOOKBACK]
    if fitting:
        season = max(fitting)
        seasonal = min(SEASONS, MOST_LOOKBACK // season) * season
    else:
        seasonal = LEAST_LOOKBACK if max(seasons) > 1 else 0
    return max(1, min(max(seasonal, SEASONS * horizon), rows // 4, MOST_LOOKBACK))


def choose_patch(season: int, lookback: int, horizon: int) -> int:
    """The longest patch, a divisor of the season and no longer than the horizon, that leaves twelve tokens."""
    most = max(min(horizon, lookback // FEWEST_TOKENS), 1)
    return max(p for p in range(1, most + 1) if season == 1 or season % p == 0)


def usual_sizes(grid: TimeGrid) -> tuple[int, int]:
    """Horizon and lookback that people usually want at this frequency.

    Two days of hours or quarters of an hour, two weeks of days, a year of months, and so on; of steps of minutes and
    seconds a day, an hour or a minute.
    """
    if grid.kind == "business":
        return 10, 65
    if grid.kind == "month":
        return {1: (12, 36), 3: (8, 16), 12: (6, 12)}.get(grid.step, (6, 12))
    if grid.kind == "position":
        return 12, 36
    if grid.step == DAY:
        return 14, 91
    if grid.step == 7 * DAY:
        return 13, 104
    return _short_steps(grid) if grid.seasons[0] > 1 else (12, 36)


def _short_steps(grid):
    """Usual sizes at steps shorter than a day that divide it."""
    season = grid.seasons[0]
    weekly = 14 * season if season <= 24 else 7 * season
    if weekly <= MOST_LOOKBACK and grid.step >= FIXED["min"]:
        return 2 * season, weekly
    spans = [span // grid.step for span in (DAY, FIXED["h"], FIXED["min"], FIXED["s"]) if span % grid.step == 0]
    horizon = next((steps for steps in spans if 1 < steps <= MOST_USUAL), 100)
    seasons = MOST_LOOKBACK // season
    return horizon, min(seasons, 7) * season if seasons else max(LEAST_LOOKBACK, SEASONS * horizon)


def horizon_within(usual: int, rows: int) -> int:
    """A usual horizon, of at most a fifth of the rows."""
    return max(1, min(usual, rows // 5))


def held_out_rows(rows: int, horizon: int) -> int:
    """Rows of a test: two horizons or a tenth of the rows, at most a quarter, but a horizon at least."""
    return max(horizon, min(max(2 * horizon, rows // 10), rows // 4))


def validation_rows(rows: int, held_out: int, horizon: int) -> int:
    """Rows of a validation block before those held out: two horizons or a tenth, at most a quarter of what is left."""
    return max(horizon, min(max(2 * horizon, rows // 10), (rows - held_out) // 4))


def lookback_within(usual: int, rows: int, season: int) -> int:
    """A usual lookback, of at most two thirds of the rows that windows lie in, in whole seasons where that is possible.

    Parameters
    ----------
    usual : int
    rows : int
        Training rows less a horizon.
    season : int
    """
    most = min(usual, max(rows * 2 // 3, 1))
    return most // season * season if season > 1 and most >= season else most


def stride_within(places: int, most: int) -> int:
    """Rows between cutoffs so that there are at most so many of them among these places."""
    return max(1, math.ceil(places / max(most, 1)))
