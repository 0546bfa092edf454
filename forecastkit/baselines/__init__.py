"""Forecasting methods without training loops: simple methods and the closed-form ridge regression."""

__all__ = []
