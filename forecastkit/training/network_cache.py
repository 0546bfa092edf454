"""Cache of compiled networks, so that refits of the same architecture skip tracing.

Tracing takes a second or more, compiling many, and folds, seeds and grids fit the same network again and again.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass

#: Spare networks, and weights of all of them together: what is traced takes tens of megabytes, however small it is.
MOST, MOST_WEIGHTS = 4, 2_000_000


@dataclass(frozen=True)
class CacheEntry:
    """A network and its engine, and what its first weights were at which seed."""

    network: object
    engine: object
    seed: int
    first: list


class NetworkCache:
    """Spare networks by kind, the latest kept; any thread may give and take.

    Parameters
    ----------
    most, most_weights : int
        How many there may be, and weights that they may have together.
    """

    def __init__(self, most: int = MOST, most_weights: int = MOST_WEIGHTS):
        self.most, self.most_weights = most, most_weights
        self.kept, self.lock = OrderedDict(), threading.RLock()

    def give(self, kind, spare: CacheEntry) -> None:
        """Keep a network that nobody uses any more, unless `kind` is None, and let go of the oldest of too many."""
        if kind is None:
            return
        with self.lock:
            self.kept.setdefault(kind, []).append(spare)
            self.kept.move_to_end(kind)
            while self._too_many():
                oldest = next(iter(self.kept))
                self.kept[oldest].pop(0)
                if not self.kept[oldest]:
                    del self.kept[oldest]

    def take(self, kind) -> CacheEntry | None:
        """A network of this kind for its new owner alone, or None."""
        with self.lock:
            found = self.kept.pop(kind, None)
            if found is None:
                return None
            if found[1:]:
                self.kept[kind] = found[1:]
            return found[0]

    def _too_many(self):
        spares = [spare for same in self.kept.values() for spare in same]
        weights = sum(weight.size for spare in spares for weight in spare.first)
        return len(spares) > self.most or weights > self.most_weights


NETWORK_CACHE = NetworkCache()
