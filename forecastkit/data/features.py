"""Calendar features by frequency: where in the day, week and year a step lies."""

import numpy as np
import pandas as pd

from forecastkit.data.grid import DAY, Grid


def calendar_names(grid: Grid) -> tuple[str, ...]:
    """Which features a grid has: only cycles that a step does not jump over."""
    if not grid.is_time:
        return ()
    if grid.kind == "month":
        return ("year_sin", "year_cos") if grid.step < 12 else ()
    if grid.kind == "business":
        return ("week_sin", "week_cos")
    names = ("day_sin", "day_cos") if grid.step < DAY else ()
    return names + (("week_sin", "week_cos", "weekend") if grid.step <= DAY else ("year_sin", "year_cos"))


def calendar_table(grid: Grid, first: int, count: int, names: tuple[str, ...]) -> np.ndarray:
    """Calendar features of `count` steps from ordinal `first`, shape (count, features), float32 within [-1, 1]."""
    if not names:
        return np.zeros((count, 0), dtype="float32")
    stamps = grid.stamps(np.arange(first, first + count))
    if isinstance(stamps, pd.PeriodIndex):
        stamps = stamps.to_timestamp()
    weekday = stamps.day_of_week.to_numpy()
    hour = (stamps.hour * 3600 + stamps.minute * 60 + stamps.second).to_numpy() / 86_400
    cycles = {"day": hour, "week": (weekday + hour) / 7, "year": stamps.day_of_year.to_numpy() / 365.25}
    columns = [_column(name, cycles, weekday) for name in names]
    return np.stack(columns, axis=1).astype("float32")


def _column(name, cycles, weekday):
    if name == "weekend":
        return (weekday >= 5).astype("float32")
    cycle, wave = name.split("_")
    return getattr(np, wave)(2 * np.pi * cycles[cycle])
