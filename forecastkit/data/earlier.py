"""Sums over the rows of a panel that are no longer stored."""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from forecastkit.data.panel import Panel


@dataclass(frozen=True)
class Earlier:
    """The target values before the first row of each entity of a panel; every attribute has shape (E, C).

    Attributes
    ----------
    count : ndarray of int
        Number of observed values.
    first, last : ndarray
        The first and the last of them; NaN if there are none.
    first_at, last_at : ndarray of int
        Their ordinals.
    total : ndarray
        Sum of their deviations from the first one, which is exact for constants and precise far from zero.
    """

    count: np.ndarray
    first: np.ndarray
    last: np.ndarray
    first_at: np.ndarray
    last_at: np.ndarray
    total: np.ndarray

    @classmethod
    def none(cls, entities: int, channels: int) -> Self:
        """Return the sums over no rows."""
        shape = entities, channels
        zero, nan = np.zeros(shape, dtype="int64"), np.full(shape, np.nan)
        return cls(zero, nan, nan, zero, zero, np.zeros(shape))

    def take(self, entities: np.ndarray) -> Self:
        """Return the sums of these entities, in this order."""
        return type(self)(*(getattr(self, one.name)[entities] for one in fields(self)))

    def extended(self, entities: int) -> Self:
        """Return the sums of `entities` entities, the new ones without rows."""
        none = self.none(entities - len(self.count), self.count.shape[1])
        return type(self)(*(np.concatenate([getattr(self, one.name), getattr(none, one.name)]) for one in fields(self)))

    def plus(self, rows: "Panel") -> Self:
        """Return the sums including these rows of the same entities, which follow those summed so far."""
        entity, ordinal = np.repeat(np.arange(len(rows.ids)), rows.lengths), rows.ordinals()
        out = type(self)(*(getattr(self, one.name).copy() for one in fields(self)))
        for channel, values in enumerate(rows.target.astype("float64").T):
            at = np.flatnonzero(~np.isnan(values))
            count = np.bincount(entity[at], minlength=len(rows.ids))
            filled, stop = np.flatnonzero(count), np.cumsum(count)
            final = at[stop[filled] - 1]
            out.last[filled, channel], out.last_at[filled, channel] = values[final], ordinal[final]
            new = filled[out.count[filled, channel] == 0]
            initial = at[stop[new] - count[new]]
            out.first[new, channel], out.first_at[new, channel] = values[initial], ordinal[initial]
            deviation = values[at] - out.first[entity[at], channel]
            out.total[:, channel] += np.bincount(entity[at], deviation, minlength=len(rows.ids))
            out.count[:, channel] += count
        return out
