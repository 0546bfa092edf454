"""Holidays of a country, from the optional package `holidays`."""

import functools

import numpy as np

from forecastkit.data.time_grid import TimeGrid
from forecastkit.data.week_slots import DAY
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import did_you_mean, refuse

#: Offsets in days of the holiday indicators: the day itself, the next and the previous one.
AROUND = (0, 1, -1)


def check_holidays(where: str, code: object, grid: TimeGrid) -> None:
    """Refuse unknown countries and subdivisions, and grids with steps longer than one day."""
    if not isinstance(code, str):
        rule = "holidays must be a country such as 'DE', or a country and subdivision such as 'US-CA'"
        refuse(where, rule, repr(code), error=ParameterError)
    if not 0 < grid.slot <= DAY:
        refuse(where, "holidays= needs times at most a day apart", f"a grid {grid.name}", error=ParameterError)
    holidays = _import_holidays(where)
    country, _, subdivision = code.partition("-")
    known = holidays.list_supported_countries()
    if country not in known:
        rule, remedy = "holidays= must be a two-letter country code", did_you_mean(country, known)
        refuse(where, rule, repr(code), remedy, ParameterError)
    if subdivision and subdivision not in known[country]:
        rule = f"holidays= must have the code of a subdivision of {country}"
        refuse(where, rule, repr(code), did_you_mean(subdivision, known[country]), ParameterError)


def is_holiday(code: str, days: np.ndarray) -> np.ndarray:
    """Return 1 for each of the days (datetime64[D]) that is a holiday and 0 for the others, float32."""
    if not len(days):
        return np.zeros(0, dtype="float32")
    first, last = (int(str(day.astype("datetime64[Y]"))) for day in (days.min(), days.max()))
    dates = [date for year in range(first, last + 1) for date in _dates(code, year)]
    return np.isin(days, np.array(dates, dtype="datetime64[D]")).astype("float32")


@functools.lru_cache(maxsize=4096)
def _dates(code, year):
    country, _, subdivision = code.partition("-")
    return tuple(_import_holidays("predict").country_holidays(country, subdiv=subdivision or None, years=year))


def _import_holidays(where):
    try:
        import holidays
    except ModuleNotFoundError:
        rule, remedy = "holidays= needs the package holidays", "pip install 'forecastkit[holidays]' brings it."
        refuse(where, rule, "none", remedy, ParameterError)
    return holidays
