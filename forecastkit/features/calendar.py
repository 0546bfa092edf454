"""Deterministic time features: cyclical calendar, Fourier terms, holidays."""

import numpy as np
import pandas as pd

from forecastkit.data.time_grid import TimeGrid
from forecastkit.data.week_slots import DAY
from forecastkit.features.holidays import AROUND, check_holidays, is_holiday
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import check_int, check_real, refuse


def calendar_names(grid: TimeGrid) -> tuple[str, ...]:
    """Return the names of a grid's calendar features: only cycles longer than one step."""
    if not grid.is_time:
        return ()
    if grid.kind == "month":
        return ("year_sin", "year_cos") if grid.step < 12 else ()
    names = ("day_sin", "day_cos") if grid.slot < DAY else ()
    if grid.kind == "business":
        return (*names, "week_sin", "week_cos")
    return names + (("week_sin", "week_cos", "weekend") if grid.slot <= DAY else ("year_sin", "year_cos"))


def requested_names(
    where: str, grid: TimeGrid, holidays: str | None, fourier, season_length: int | None
) -> tuple[str, ...]:
    """Return the names of requested features: Fourier terms, then holidays.

    Parameters
    ----------
    holidays : str, optional
        A country, or a country and subdivision: 'DE', 'US-CA'.
    fourier : int or dict, optional
        Number of sine and cosine pairs for every usual season, or by season length: ``{24: 3, 168: 2}``.
    season_length : int, optional
        Season length in steps that replaces the usual seasons of the grid.
    """
    names = ()
    if fourier is not None:
        for season, order in _orders(where, grid, fourier, season_length).items():
            names += tuple(f"fourier:{season}:{k}:{wave}" for k in range(1, order + 1) for wave in ("sin", "cos"))
    if holidays is not None:
        check_holidays(where, holidays, grid)
        names += tuple(f"holiday:{holidays}:{days}" for days in AROUND)
    return names


def _orders(where, grid, fourier, season_length):
    """Return the number of sine and cosine pairs by season length."""
    if not isinstance(fourier, dict):
        check_int(where, "fourier", fourier)
        seasons = (season_length,) if season_length else grid.seasons
        if max(seasons) < 2:
            rule, remedy = f"fourier= needs a season, and a grid {grid.name} has none", "Pass fourier={season: pairs}."
            refuse(where, rule, repr(fourier), remedy, ParameterError)
        fourier = {season: min(fourier, season // 2) for season in seasons}
    for season, order in fourier.items():
        check_real(where, "a season of fourier=", season, 2.0, 1e9)
        check_int(where, "a number of pairs in fourier=", order)
        if order > season / 2:
            rule = f"fourier= can have at most {int(season / 2)} pairs in a season of {season}"
            refuse(where, rule, order, error=ParameterError)
    return fourier


def is_requested(name: str) -> bool:
    """Return whether a feature was requested by the user; its linear effect is then removed from the target."""
    return ":" in name


def count_events(names: tuple[str, ...]) -> int:
    """Return the number of features, the last ones, that mark single steps (holidays) instead of a cycle."""
    return sum(name.startswith("holiday:") for name in names)


def kind_of(name: str) -> str:
    """Return the kind of a feature: 'day', 'week', 'year', 'fourier' or 'holiday'."""
    return name.split(":")[0].split("_")[0].replace("weekend", "week")


def calendar_table(grid: TimeGrid, first: int, count: int, names: tuple[str, ...]) -> np.ndarray:
    """Return the features of `count` steps from ordinal `first`, shape (count, features), float32 in [-1, 1]."""
    if not names:
        return np.zeros((count, 0), dtype="float32")
    ordinals = np.arange(first, first + count)
    columns = {name: _wave(name, ordinals) for name in names if name.startswith("fourier:")}
    if len(columns) < len(names):
        columns.update(_of_times(grid.timestamps(ordinals), [name for name in names if name not in columns]))
    return np.stack([columns[name] for name in names], axis=1).astype("float32")


def _of_times(timestamps, names):
    if isinstance(timestamps, pd.PeriodIndex):
        timestamps = timestamps.to_timestamp()
    weekday = timestamps.day_of_week.to_numpy()
    hour = (timestamps.hour * 3600 + timestamps.minute * 60 + timestamps.second).to_numpy() / 86_400
    cycles = {"day": hour, "week": (weekday + hour) / 7, "year": timestamps.day_of_year.to_numpy() / 365.25}
    days = timestamps.tz_localize(None).to_numpy().astype("datetime64[D]")  # local dates
    return {name: _column(name, cycles, weekday, days) for name in names}


def _column(name, cycles, weekday, days):
    if name.startswith("holiday:"):
        _, code, after = name.split(":")
        distinct, at = np.unique(days, return_inverse=True)
        return is_holiday(code, distinct + int(after))[at]
    if name == "weekend":
        return (weekday >= 5).astype("float32")
    cycle, wave = name.split("_")
    return getattr(np, wave)(2 * np.pi * cycles[cycle])


def _wave(name, ordinals):
    _, season, order, wave = name.split(":")
    return getattr(np, wave)(2 * np.pi * int(order) * (ordinals % float(season)) / float(season))
