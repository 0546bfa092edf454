from .reconciliation import reconcile as reconcile
from .sums import Hierarchy as Hierarchy
from .sums import aggregate as aggregate

__all__ = [
    "Hierarchy",
    "aggregate",
    "reconcile",
]
