"""HTML reports on a model, its forecast and its accuracy."""

__all__ = []
