"""Export of trained networks: one graph from raw windows to forecasts in the user's units."""

__all__ = []
