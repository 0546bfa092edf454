"""From the user's arrays and frames to a panel: columns, duplicates, time zones, missing rows, checks."""

__all__ = []
