"""Reports for people: one HTML page on a model, its forecast and how good it is."""

__all__ = []
