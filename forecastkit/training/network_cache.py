"""Cache of traced networks, so that a fit of an architecture that was fitted before skips tracing and compiling.

Tracing takes a second or more and compiling several, and folds, seeds and grids fit the same network again and again.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass

#: Bounds on networks, each of which takes tens of megabytes once it is traced, and on their weights in all.
MAX_NETWORKS, MAX_WEIGHTS = 4, 2_000_000


@dataclass(frozen=True)
class CacheEntry:
    """A network without an owner.

    Attributes
    ----------
    network : keras.Model
    engine : object
        The engine with the traced steps.
    seed : int
        Seed of `first`.
    first : list of ndarray
        Weights before training.
    """

    network: object
    engine: object
    seed: int
    first: list


class NetworkCache:
    """Networks without an owner by kind, the least recently used dropped first. Safe to use from several threads.

    Parameters
    ----------
    max_networks, max_weights : int
        Bounds on the number of networks and on the weights of all of them together.
    """

    def __init__(self, max_networks: int = MAX_NETWORKS, max_weights: int = MAX_WEIGHTS):
        self.max_networks, self.max_weights = max_networks, max_weights
        self.entries: OrderedDict[object, list[CacheEntry]] = OrderedDict()
        self.lock = threading.RLock()

    def give(self, kind, entry: CacheEntry) -> None:
        """Add a network whose owner is gone; one of the kind None cannot be used again and is dropped."""
        if kind is None:
            return
        with self.lock:
            self.entries.setdefault(kind, []).append(entry)
            self.entries.move_to_end(kind)
            while self._is_over_full():
                oldest = next(iter(self.entries))
                self.entries[oldest].pop(0)
                if not self.entries[oldest]:
                    del self.entries[oldest]

    def take(self, kind) -> CacheEntry | None:
        """Remove and return the network of this kind that was added first, None if there is none."""
        with self.lock:
            found = self.entries.pop(kind, None)
            if found is None:
                return None
            if found[1:]:
                self.entries[kind] = found[1:]
            return found[0]

    def clear(self) -> None:
        """Drop all networks."""
        with self.lock:
            self.entries.clear()

    def _is_over_full(self) -> bool:
        entries = [entry for same_kind in self.entries.values() for entry in same_kind]
        weights = sum(weight.size for entry in entries for weight in entry.first)
        return len(entries) > self.max_networks or weights > self.max_weights


NETWORK_CACHE = NetworkCache()


def clear_cache() -> None:
    """Release the networks that are kept for further fits of the same architecture.

    A network whose forecaster is gone is kept with its traced and compiled steps, so that the next forecaster with the
    same architecture, sizes and loss starts training at once: at most four networks with two million weights in all.
    Results do not depend on the cache. Networks of existing forecasters stay as they are.

    Examples
    --------
    >>> import forecastkit as fk
    >>> fk.clear_cache()
    """
    NETWORK_CACHE.clear()
