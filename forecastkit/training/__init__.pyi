from .engines.cluster import is_chief as is_chief

__all__ = [
    "is_chief",
]
