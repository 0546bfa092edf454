"""Deterministic time features: cyclical calendar, Fourier terms, holidays."""

import numpy as np
import pandas as pd

from forecastkit.data.time_grid import DAY, TimeGrid
from forecastkit.features.holidays import AROUND, check_holidays, is_holiday
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import check_int, check_real, refuse


def calendar_names(grid: TimeGrid) -> tuple[str, ...]:
    """Which features a grid has: only cycles that a step does not jump over."""
    if not grid.is_time:
        return ()
    if grid.kind == "month":
        return ("year_sin", "year_cos") if grid.step < 12 else ()
    if grid.kind == "business":
        return ("week_sin", "week_cos")
    names = ("day_sin", "day_cos") if grid.step < DAY else ()
    return names + (("week_sin", "week_cos", "weekend") if grid.step <= DAY else ("year_sin", "year_cos"))


def asked_names(
    where: str, grid: TimeGrid, holidays: str | None, fourier, season_length: int | None
) -> tuple[str, ...]:
    """Features that were asked for: waves, and last holidays, which are read step by step.

    Parameters
    ----------
    holidays : str, optional
        A country, or a country and its part: 'DE', 'US-CA'.
    fourier : int or dict, optional
        Pairs of waves for every usual season, or by season length: ``{24: 3, 168: 2}``.
    season_length : int, optional
        The season where the grid has none, or another one is given.
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
    """How many pairs of waves each season has."""
    if not isinstance(fourier, dict):
        check_int(where, "fourier", fourier)
        seasons = (season_length,) if season_length else grid.seasons
        if max(seasons) < 2:
            rule, remedy = f"fourier= needs a season, and a grid {grid.name} has none", "Pass fourier={season: number}."
            refuse(where, rule, repr(fourier), remedy, ParameterError)
        fourier = {season: min(fourier, season // 2) for season in seasons}
    for season, order in fourier.items():
        check_real(where, "a season of fourier=", season, 2.0, 1e9)
        check_int(where, "a number of waves in fourier=", order)
        if order > season / 2:
            rule = f"fourier= can have at most {int(season / 2)} waves in a season of {season}"
            refuse(where, rule, order, error=ParameterError)
    return fourier


def is_asked(name: str) -> bool:
    """Whether a feature is there because somebody asked for it: its linear effect is taken out of the target."""
    return ":" in name


def count_events(names: tuple[str, ...]) -> int:
    """How many of the features, the last ones, are of single steps and not of a place in a cycle."""
    return sum(name.startswith("holiday:") for name in names)


def kind_of(name: str) -> str:
    """What a feature tells of, in a word: 'day', 'week', 'year', 'fourier' or 'holiday'."""
    return name.split(":")[0].split("_")[0].replace("weekend", "week")


def calendar_table(grid: TimeGrid, first: int, count: int, names: tuple[str, ...]) -> np.ndarray:
    """Features of `count` steps from ordinal `first`, shape (count, features), float32 within [-1, 1]."""
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
    days = timestamps.tz_localize(None).to_numpy().astype("datetime64[D]")  # by the clock on the wall
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
