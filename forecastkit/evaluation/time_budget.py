"""Time budget shared by several fits, whose overhead is estimated as they run."""

import re
import time

import numpy as np

from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import check_real, refuse

UNITS = {"": 1.0, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
#: Seconds that a fit of a network takes at the very least, most of them to trace and compile it.
LEAST = 3.0
#: Seconds beside the training loop that a fit is thought to take before one was seen.
USUAL_OVERHEAD = 5.0
#: Part of the budget that is planned with, and the part that a fit may go up to where others took longer than planned.
PLANNED, MOST = 0.95, 1.08
#: Part of the budget beyond which no fit is expected to end that is still begun.
LAST = 1.12
#: Seconds of training, and part of what a fit takes beside it, without which a further seed is not worthwhile.
WORTHWHILE, OF_OVERHEAD = 1.0, 0.5
#: Seconds that a fit gets in any case.
IN_ANY_CASE = 0.5
#: Seconds for a fit from which on one is spent to learn the overhead first.
WORTH_TRYING = 10.0


def seconds_of(budget, where: str) -> float | None:
    """Seconds of a budget such as ``"10m"``, ``"90s"``, ``"1h"`` or 600; None stays None.

    Raises
    ------
    ParameterError
        Where it is no such thing.
    """
    if budget is None or not isinstance(budget, str):
        check_real(where, "budget", budget, 1e-3, 1e9, optional=True)
        return None if budget is None else float(budget)
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-z]*)\s*", budget.lower())
    if not found or found[2] not in UNITS or not float(found[1]) > 0:
        rule = "budget must be a number of seconds, or one with s, m or h such as '10m'"
        refuse(where, rule, repr(budget), error=ParameterError)
    return float(found[1]) * UNITS[found[2]]


class Budget:
    """Wall-clock seconds from now on.

    Parameters
    ----------
    seconds : float or None
        None: no end.
    spent : float
        Seconds that were spent before, in an earlier process.
    """

    def __init__(self, seconds: float | None, spent: float = 0.0):
        self.seconds, self.spent, self.began = seconds, spent, time.monotonic()
        self._overheads: dict[str, list[float]] = {}

    def gone(self) -> float:
        """Seconds spent so far."""
        return self.spent + time.monotonic() - self.began

    @property
    def knows(self) -> bool:
        """Whether any fit's overhead was learned."""
        return bool(self._overheads)

    @property
    def limit(self) -> float:
        """The seconds, infinitely many where there is no end."""
        return np.inf if self.seconds is None else self.seconds

    def learn(self, name: str, overhead: float) -> None:
        """A fit of this model took so many seconds beside its training loop."""
        self._overheads.setdefault(name, []).append(overhead)

    def overhead(self, name: str) -> float:
        """Seconds expected beside the training loop: the model's own last, else the mean of others."""
        if name in self._overheads:
            return self._overheads[name][-1]
        others = [values[-1] for values in self._overheads.values()]
        return float(np.mean(others)) if others else USUAL_OVERHEAD

    def worthwhile(self) -> float:
        """Seconds of training that a further seed should have."""
        last = [values[-1] for values in self._overheads.values()]
        return max(WORTHWHILE, OF_OVERHEAD * float(np.mean(last))) if last else WORTHWHILE

    def is_over(self, name: str) -> bool:
        """Whether a fit of this model would end too late."""
        return self.seconds is not None and self.gone() + self.overhead(name) + IN_ANY_CASE > LAST * self.seconds

    def share(self, pending: list[str], part: float = PLANNED) -> float | None:
        """Seconds of training that each of these fits may take, None without a budget."""
        if self.seconds is None:
            return None
        room = part * self.seconds - self.gone() - sum(self.overhead(name) for name in pending)
        return room / max(len(pending), 1)
