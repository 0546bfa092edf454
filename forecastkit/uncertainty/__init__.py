"""Prediction intervals: residual quantiles, conformal calibration, sample paths."""

__all__ = []
