"""Whether a history that is given for a forecast is that of the remembered series, where series have no names."""

from dataclasses import replace

import numpy as np

from forecastkit.data.panel import Panel

#: Name of a series that is not the one remembered.
OTHER = "another series"
#: Rows without times by which they are found again.
FIRST = 8


def name_other(given: Panel, remembered: Panel, reach: int) -> Panel:
    """Return the given history, renamed if it belongs to another series than the remembered one; both are on one grid.

    A series without a name is the remembered one where most values at the times of both are equal, or, without such
    times, where it begins at most `reach` steps after the end of the other. Rows without times are those of the
    remembered series where their first values occur there in this order. Another series is scaled by its own rows.
    """
    if given.ids != (None,) or remembered.ids != (None,) or _is_same(given, remembered, reach):
        return given
    return replace(given, ids=(OTHER,))


def _is_same(given, remembered, reach):
    if not given.grid.is_time:
        return _occurs(given.target, remembered.target)
    first = max(int(given.start[0]), int(remembered.start[0]))
    count = min(int(given.ends[0]), int(remembered.ends[0])) - first + 1
    if count > 0:
        one, other = (panel.target[first - int(panel.start[0]) :][:count] for panel in (given, remembered))
        both = ~(np.isnan(one) | np.isnan(other))
        if both.any():
            return bool(np.isclose(one[both], other[both], rtol=1e-6, atol=0.0).mean() >= 0.5)
    return 0 < int(given.start[0]) - int(remembered.cutoffs()[0]) <= reach


def _occurs(given, remembered):
    """Return whether the first given rows occur among the others; missing values are not compared."""
    first = given[: min(FIRST, len(remembered))]
    places = np.lib.stride_tricks.sliding_window_view(remembered, len(first), axis=0).transpose(0, 2, 1)
    both = ~(np.isnan(places) | np.isnan(first))
    alike = (np.isclose(places, first, rtol=1e-6, atol=0.0) | ~both).all(axis=(1, 2)) & both.any(axis=(1, 2))
    return bool(alike.any())
