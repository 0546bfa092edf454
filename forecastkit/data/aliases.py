"""Frequencies as pandas aliases, and the lengths of their steps."""

import pandas as pd

from forecastkit.data.week_slots import DAY
from forecastkit.utils.validation import refuse

#: Microseconds of units of fixed length, and months of the others.
FIXED = {"W": 7 * DAY, "D": DAY, "h": DAY // 24, "min": DAY // 1440, "s": 1_000_000, "ms": 1000, "us": 1}
MONTHS = {"M": 1, "Q": 3, "Y": 12}
#: Upper bounds of steps in microseconds and in months, such that ordinals and times fit in 64 bits.
LONGEST_STEP = 2**60


def parse_offset(freq: str) -> pd.offsets.BaseOffset:
    """Return the offset of a pandas alias; invalid ones and steps too long for 64 bits are refused."""
    try:
        offset = pd.tseries.frequencies.to_offset(freq)
    except (ValueError, TypeError):
        return _refuse_freq(freq)
    if not 0 < offset.n * FIXED.get(unit_of(offset), 1) < LONGEST_STEP:
        _refuse_freq(offset.freqstr)
    return offset


def unit_of(offset: pd.offsets.BaseOffset) -> str:
    """Return the alias without number and anchor."""
    return offset.rule_code.split("-")[0]


def fixed_step(offset: pd.offsets.BaseOffset) -> int:
    """Return the length of a step in microseconds; 0 for steps of varying length."""
    return FIXED.get(unit_of(offset), 0) * offset.n


def month_step(offset: pd.offsets.BaseOffset) -> int:
    """Return the number of months of a step of months, quarters or years."""
    unit = unit_of(offset).removeprefix("B")[:1]
    return MONTHS[unit] * offset.n if unit in MONTHS else _refuse_freq(offset.freqstr)


def _refuse_freq(freq):
    refuse("freq", "must be a pandas frequency alias such as 'h', 'D', 'MS'", repr(freq))


def length_in_words(micros: int) -> str:
    """Return a step in words: ``hourly``, ``15 min``."""
    words = {7 * DAY: "weekly", DAY: "daily", FIXED["h"]: "hourly"}
    if micros in words:
        return words[micros]
    unit = next(alias for alias, length in FIXED.items() if micros % length == 0)
    return f"{micros // FIXED[unit]} {unit}"
