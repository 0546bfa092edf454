"""Time budgets that several fits share, with what fits of each model have taken so far."""

import re
import time
from collections.abc import Sequence

import numpy as np

from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import check_real, first_few, refuse

UNITS = {"": 1.0, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
#: Seconds that a fit of a network takes at the very least, most of them to trace and compile it.
LEAST = 3.0
#: Seconds that a fit is expected to take in addition to training, before one has been measured.
USUAL_OVERHEAD = 5.0
#: Fraction of the budget that is planned with, and that a fit may use where others took longer than planned.
PLANNED, MOST = 0.95, 1.08
#: No fit begins that is expected to end after this fraction of the budget.
LAST = 1.12
#: Seconds of training, absolute and as a fraction of the overhead of a fit, without which a fit is not worthwhile.
WORTHWHILE, OF_OVERHEAD = 1.0, 0.5
#: Seconds of training that a fit gets in any case.
IN_ANY_CASE = 0.5
#: Seconds available for each fit from which on one fit is spent to measure the overhead first.
WORTH_TRYING = 10.0
#: Fraction of the seconds available that training may take: a few epochs on all rows follow.
TRAINED = 0.85
#: Overhead where none was measured: seconds, and a fraction of the seconds available.
UNKNOWN_OVERHEAD, UNKNOWN_FRACTION = 1.0, 0.2

#: The words in which every function with a budget says that something was not run.
NO_TIME = "no time was left"


def seconds_of(budget, where: str) -> float | None:
    """Return the seconds of a budget such as ``"10m"``, ``"90s"``, ``"1h"`` or 600; None stays None."""
    if budget is None or not isinstance(budget, str):
        check_real(where, "budget", budget, 1e-3, 1e9, optional=True)
        return None if budget is None else float(budget)
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-z]*)\s*", budget.lower())
    if not found or found[2] not in UNITS or not float(found[1]) > 0:
        rule = "budget must be a number of seconds, or one with s, m or h such as '10m'"
        refuse(where, rule, repr(budget), error=ParameterError)
    return float(found[1]) * UNITS[found[2]]


def no_time_for(what: str | Sequence[str]) -> str:
    """Return a note on what was not run because no time was left."""
    return f"{NO_TIME} for {what if isinstance(what, str) else first_few(what, 12)}"


def training_seconds(seconds: float, overhead: float | None) -> float:
    """Return the seconds of training with which a fit and its overhead take the given seconds."""
    if overhead is None:
        overhead = max(UNKNOWN_OVERHEAD, UNKNOWN_FRACTION * seconds)
    return max(TRAINED * (seconds - overhead), IN_ANY_CASE)


class TimeBudget:
    """Wall-clock seconds from now on, None for no limit, and the costs of the fits that share them.

    `spent` are seconds that an earlier process has used.
    """

    def __init__(self, seconds: float | None, spent: float = 0.0):
        self.seconds, self.spent, self.began = seconds, spent, time.monotonic()
        self._costs: dict[str, dict[str, float]] = {}

    @property
    def limit(self) -> float:
        """The seconds; infinite without a limit."""
        return np.inf if self.seconds is None else self.seconds

    def elapsed(self) -> float:
        """Return the seconds used so far."""
        return self.spent + time.monotonic() - self.began

    def left(self, fraction: float = 1.0) -> float:
        """Return the seconds left of a fraction of the budget; infinite without a limit."""
        return fraction * self.limit - self.elapsed()

    # ------------------------------------------------------------------------------------------ costs of fits

    def learn(self, name: str, **seconds: float) -> None:
        """Note what a fit of this model took: its ``overhead``, and ``compiling``, ``epoch`` and ``training``."""
        for quantity, value in seconds.items():
            self._costs.setdefault(quantity, {})[name] = value

    def known(self, quantity: str, name: str, otherwise: float = 0.0) -> float:
        """Return what the last fit of this model took, or `otherwise`."""
        return self._costs.get(quantity, {}).get(name, otherwise)

    def expected(self, quantity: str, name: str, otherwise: float) -> float:
        """Return what the last fit of this model took, else the mean of other models, else `otherwise`."""
        known = self._costs.get(quantity, {})
        return known[name] if name in known else float(np.mean(list(known.values()))) if known else otherwise

    def has_learned(self, name: str | None = None) -> bool:
        """Return whether the overhead of this model is known, or of any model."""
        known = self._costs.get("overhead", {})
        return bool(known) if name is None else name in known

    def overhead(self, name: str) -> float:
        """Return the seconds that a fit of this model is expected to take in addition to training."""
        return self.expected("overhead", name, USUAL_OVERHEAD)

    # ------------------------------------------------------------------------------------------ plans

    def worthwhile(self) -> float:
        """Return the seconds of training without which a fit is not worth its overhead."""
        known = list(self._costs.get("overhead", {}).values())
        return max(WORTHWHILE, OF_OVERHEAD * float(np.mean(known))) if known else WORTHWHILE

    def is_over(self, name: str) -> bool:
        """Return whether a fit of this model would end too late."""
        return self.overhead(name) + IN_ANY_CASE > self.left(LAST)

    def seconds_each(self, pending: Sequence[str], fraction: float = PLANNED) -> float | None:
        """Return the seconds of training that each of these fits may take; None without a limit."""
        if self.seconds is None:
            return None
        return (self.left(fraction) - sum(map(self.overhead, pending))) / max(len(pending), 1)
