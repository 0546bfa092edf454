"""Detection of known covariates that are the shifted target, which would leak the values to be forecast."""

import numpy as np

from forecastkit.data.panel import Panel, spread
from forecastkit.data.schema import WHERE, Schema
from forecastkit.utils.validation import refuse

#: Rows that are compared first, and number of equal rows that excludes chance.
SAMPLED, FEWEST = 64, 50
#: Approximate number of rows among which those are chosen.
MAX_ROWS = 1_000_000


def refuse_leaks(schema: Schema, panel: Panel, horizon: int) -> None:
    """Refuse a known covariate that equals a target shifted by less than the horizon, or future values of a target.

    A column that also equals the target a horizon or more before is accepted, as periodic targets have such columns,
    and so is a constant one.

    Raises
    ------
    InputError
        If there is such a column; the message names the column, the target and the shift.
    """
    names = [name for name in schema.known for _ in range(schema.width((name,)))]
    for column, name in enumerate(names):
        for channel in range(panel.channels):
            lag = _lag_of(panel, panel.known[:, column], panel.target[:, channel], horizon)
            if lag is not None:
                when = "of the same row" if lag == 0 else f"{abs(lag)} step(s) {'before' if lag > 0 else 'later'}"
                refuse(
                    WHERE,
                    f"a known covariate must not be a target shifted by less than the horizon of {horizon}",
                    f"{name!r}, which is {schema.target[channel]!r} {when}",
                    f"Shift it by at least {horizon} steps, name it in past=, or leave it out.",
                )


def _lag_of(panel, known, target, horizon):
    """Return the lag at which the column equals the target wherever both are known, None without such a lag."""
    lags = np.arange(-horizon, 2 * horizon + 1)
    given = np.arange(0, len(known), max(-(-len(known) // MAX_ROWS), 1))
    told = known[given]
    seen = told[~np.isnan(told)]
    telling = given[~np.isnan(told) & (told != np.median(seen[:SAMPLED]))] if len(seen) else given[:0]
    if not len(telling):
        return None
    rows = telling[np.unique(np.linspace(0, len(telling) - 1, min(SAMPLED, len(telling))).astype("int64"))]
    found = [int(lag) for lag in lags[_agree(panel, known, target, rows, lags)] if _equal(panel, known, target, lag)]
    honest = [lag for lag in found if lag >= horizon]
    return None if honest or not found else min(found, key=abs)


def _agree(panel, known, target, rows, lags):
    """Return the lags that none of these rows contradicts."""
    entity = np.searchsorted(panel.indptr, rows, side="right") - 1
    at = rows[:, None] - lags
    inside = (at >= panel.indptr[entity][:, None]) & (at < panel.indptr[entity + 1][:, None])
    before = target[np.clip(at, 0, panel.rows - 1)].astype("float32")
    apart = before != known[rows, None]
    return ~(inside & apart & ~np.isnan(before) & ~np.isnan(known[rows, None])).any(axis=0)


def _equal(panel, known, target, lag):
    """Return whether the column equals the target `lag` steps earlier in all informative rows, if these are enough."""
    entity, place = spread(panel.lengths)
    inside = np.flatnonzero((place >= lag) & (place - lag < panel.lengths[entity]))
    a, b = known[inside], target[inside - lag].astype("float32")
    both = ~(np.isnan(a) | np.isnan(b))
    a, b, entity = a[both], b[both], entity[inside][both]
    if len(a) < FEWEST or (a != b).any():
        return False
    return bool(((b[1:] != b[:-1]) & (entity[1:] == entity[:-1])).any())
