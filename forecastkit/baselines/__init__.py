"""Forecasting methods without training loops: simple methods, exponential smoothing, the ridge regression."""

__all__ = []
