"""Forecasting methods without a training loop: simple methods, exponential smoothing and ridge regression."""

__all__ = []
