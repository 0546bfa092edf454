"""Holidays of a country, from the optional package `holidays`."""

import functools

import numpy as np

from forecastkit.data.time_grid import DAY, TimeGrid
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import did_you_mean, refuse

#: Days after a step that are looked at: its own, the next and the one before.
AROUND = (0, 1, -1)


def check_holidays(where: str, code: object, grid: TimeGrid) -> None:
    """Refuse a country that is not known, and grids whose steps are no days or parts of them."""
    if not isinstance(code, str):
        rule = "holidays must be a country such as 'DE', or one with its part such as 'US-CA'"
        refuse(where, rule, repr(code), error=ParameterError)
    daily = grid.kind == "business" or (grid.kind == "fixed" and grid.step <= DAY)
    if not daily:
        refuse(where, "holidays= needs times, a day apart at most", f"a grid {grid.name}", error=ParameterError)
    holidays = _package(where)
    country, _, part = code.partition("-")
    known = holidays.list_supported_countries()
    if country not in known:
        rule, remedy = "holidays= must name a country by its two letters", did_you_mean(country, known)
        refuse(where, rule, repr(code), remedy, ParameterError)
    if part and part not in known[country]:
        rule = f"holidays= must name a part of {country} by its code"
        refuse(where, rule, repr(code), did_you_mean(part, known[country]), ParameterError)


def is_holiday(code: str, days: np.ndarray) -> np.ndarray:
    """Whether each of the days, datetime64[D], is a holiday; float32."""
    if not len(days):
        return np.zeros(0, dtype="float32")
    first, last = (int(str(day.astype("datetime64[Y]"))) for day in (days.min(), days.max()))
    dates = [date for year in range(first, last + 1) for date in _dates(code, year)]
    return np.isin(days, np.array(dates, dtype="datetime64[D]")).astype("float32")


@functools.lru_cache(maxsize=4096)
def _dates(code, year):
    country, _, part = code.partition("-")
    return tuple(_package("predict").country_holidays(country, subdiv=part or None, years=year))


def _package(where):
    try:
        import holidays
    except ModuleNotFoundError:
        rule, remedy = "holidays= needs the package holidays", "pip install 'forecastkit[holidays]' brings it."
        refuse(where, rule, "none", remedy, ParameterError)
    return holidays
