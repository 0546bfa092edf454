"""Slots of the week that occur, such as business days or the hours of a shop: detection and numbering.

A week is a string of 0 and 1 from Monday 00:00 on, 7 characters for days and 168 for hours: ``"1111110"`` leaves
Sundays out. Slots are counted in local time from 1970-01-01.
"""

from functools import lru_cache
from itertools import pairwise

import numpy as np

DAY = 86_400_000_000  # microseconds
WEEK = 7 * DAY
#: Monday, 00:00, of the week of 1970-01-01.
MONDAY = -3 * DAY
BUSINESS, DAY_NAMES = "1111100", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
#: Shortest slots.
SHORTEST = DAY // 1440
#: A pattern requires that rows fill at least this fraction of the slots that occur, in the weeks (days) that have any,
#: of which there must be at least this number,
FILLED, FEWEST_WEEKS, FEWEST_DAYS = 0.75, 4, 8
#: and that at most this number of the other slots is expected to be missing by chance.
BY_CHANCE = 0.01
#: Slots finer than the usual step, such as those of lectures on two days, must each occur in this fraction of the
#: weeks, so that a single unusual time does not form a pattern.
OFTEN = 0.5
#: Clocks change before this time of the day: repeated and skipped slots have no number.
CLOCK_CHANGES = 4
#: Largest numbers of groups of days and of times of a day that are named.
MOST_NAMED = 3


def is_week(week: object) -> bool:
    """Return whether a value is a week with an open slot."""
    return isinstance(week, str) and "1" in week and set(week) <= {"0", "1"} and divides_week(WEEK / len(week))


def divides_week(slot: float) -> bool:
    """Return whether slots of this many microseconds divide days and are not shorter than minutes."""
    return SHORTEST <= slot <= DAY and DAY % slot == 0


@lru_cache(maxsize=64)
def _tables(week: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Return which slots are open, the number of open ones before each, their positions, and the number before 1970."""
    is_open = np.frombuffer(week.encode(), dtype="uint8") == ord("1")
    before = np.cumsum(is_open) - is_open
    return is_open, before, np.flatnonzero(is_open), int(before[3 * (len(week) // 7)])


def count_slots(micros: np.ndarray, week: str, phase: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number the slots of times.

    Parameters
    ----------
    micros : ndarray of int
        Microseconds since 1970 in local time.
    week : str
    phase : int
        Microseconds from the start of a slot to its label, such as half an hour for hours at 9:30.

    Returns
    -------
    number, is_open, exact : ndarray
        Number of open slots since 1970, whether the slot is open, and whether the time is its label.
    """
    is_open, before, places, thursday = _tables(week)
    weeks, rest = np.divmod(micros - phase - MONDAY, WEEK)
    slot, off = np.divmod(rest, WEEK // len(week))
    return weeks * len(places) + before[slot] - thursday, is_open[slot], off == 0


def slot_times(number: np.ndarray, week: str, phase: int = 0) -> np.ndarray:
    """Return microseconds since 1970 of the open slots with these numbers: the inverse of `count_slots`."""
    _, _, places, thursday = _tables(week)
    weeks, at = np.divmod(number + thursday, len(places))
    return MONDAY + weeks * WEEK + places[at] * (WEEK // len(week)) + phase


def observed_week(micros: np.ndarray, slot: int) -> str:
    """Return the slots of this many microseconds that contain any of these times."""
    week = np.zeros(WEEK // slot, dtype=bool)
    week[(micros - MONDAY) % WEEK // slot] = True
    return _as_text(week)


def occurs_at(micros: np.ndarray, week: str) -> np.ndarray:
    """Return which times by the clock on the wall lie in a slot of the week that occurs."""
    return _tables(week)[0][(micros - MONDAY) % WEEK // (WEEK // len(week))]


def shared_slots(week: str, other: str) -> str:
    """Return the slots that occur in both weeks."""
    return "".join(min(pair) for pair in zip(week, other, strict=True))


def find_week(micros: np.ndarray, slot: int, usual: int, first: np.ndarray, zoned: bool = False) -> str | None:
    """Return the slots of the week that occur if the times have a pattern; None if any slot may occur.

    Weeks are examined first; if there are too few, hours that occur on all days, and days with any.

    Parameters
    ----------
    micros : ndarray of int
        Local times of all series one after another, increasing within each.
    slot : int
        Microseconds of a slot, which divides all differences of times.
    usual : int
        The most frequent step.
    first : ndarray of int
        First time of each series.
    zoned : bool
        Whether there are clock changes.
    """
    if not divides_week(slot):
        return None
    series = np.searchsorted(first, np.arange(len(micros)), side="right")
    since = micros - MONDAY
    week = None
    for cycle, fewest in ((WEEK, FEWEST_WEEKS), (DAY, FEWEST_DAYS)):
        place, number = since % cycle // slot, since // cycle
        new = (np.diff(number) != 0) | (np.diff(series) != 0)
        cycles = 1 + np.count_nonzero(new) - len(first)  # the first and the last are cut off
        counts = np.bincount(place, minlength=cycle // slot)
        occurs = counts > 0
        if counts[occurs].min() < (OFTEN * cycles if slot < usual else 0):
            continue
        longest = len(np.unique(number)) - 1
        if slot < cycle and longest >= fewest and _is_pattern(occurs, len(micros), cycles, longest):
            week = occurs if cycle == WEEK else np.outer(_days(since // DAY), occurs).ravel()
            break
    if week is None or week.all() or week.sum() < 2:
        return None
    per_day = week.reshape(7, -1)
    changes = per_day[:, : CLOCK_CHANGES * per_day.shape[1] // 24]
    return None if zoned and slot < DAY and changes.any() else _as_text(week)


def _is_pattern(occurs, rows, cycles, longest):
    """Return whether rows fill the slots that occur, and the absence of the others is not due to chance."""
    filled = min(rows / (cycles * occurs.sum()), 1.0)
    return not occurs.all() and filled >= FILLED and len(occurs) * (1 - filled) ** longest < BY_CHANCE


def _days(days):
    """The days of the week that occur in these, Mondays being multiples of 7, or lie less than twice between them."""
    occurs = np.bincount(days % 7, minlength=7) > 0
    passed = np.bincount(np.arange(days.min(), days.max() + 1) % 7, minlength=7)
    if not occurs[5:].any() and (passed[5:] > 0).all():  # one weekend is enough
        passed[5:] += 1
    return occurs | (passed < 2)


def _as_text(week):
    return "".join("1" if is_open else "0" for is_open in week)


def week_seasons(week: str) -> tuple[int, ...]:
    """Return the steps of a day, if all days that occur have the same number, and of a week."""
    per_day = _tables(week)[0].reshape(7, -1).sum(axis=1)
    own = per_day[per_day > 0]
    steps = int(own.sum())
    return (int(own[0]), steps) if 1 < own[0] < steps and (own == own[0]).all() else (steps,)


def steps_of_day(week: str) -> int:
    """Return the mean number of steps of the days that occur."""
    per_day = _tables(week)[0].reshape(7, -1).sum(axis=1)
    return max(round(per_day.sum() / (per_day > 0).sum()), 1)


def describe_week(week: str, phase: int = 0) -> str:
    """Return the slots in words: ``Mon to Sat 09:00 to 18:00``."""
    per_day = _tables(week)[0].reshape(7, -1)
    groups = {}
    for day, slots in enumerate(per_day):
        if slots.any():
            groups.setdefault(slots.tobytes(), []).append(day)
    if len(groups) > MOST_NAMED:
        return f"{per_day.sum()} times of the week"
    texts = [
        f"{_run(days, DAY_NAMES)}{_times(np.flatnonzero(per_day[days[0]]), per_day.shape[1], phase)}"
        for days in groups.values()
    ]
    return ", ".join(texts)


def _times(slots, per_day, phase):
    if per_day == 1:
        return ""
    minutes = (slots * (DAY // per_day) + phase) // (DAY // 1440)
    clock = {int(slot): f"{minute // 60:02}:{minute % 60:02}" for slot, minute in zip(slots, minutes, strict=True)}
    text = _run(list(clock), clock)
    return f" {text}" if text.count(",") < MOST_NAMED else f" {len(clock)} times"


def _run(places, names):
    """The names of these places, three and more that follow each other as ``first to last``."""
    breaks = [0, *(np.flatnonzero(np.diff(places) != 1) + 1), len(places)]
    parts = [places[low:high] for low, high in pairwise(breaks)]
    return ", ".join(
        f"{names[part[0]]} to {names[part[-1]]}" if len(part) > 2 else ", ".join(names[at] for at in part)
        for part in parts
    )
