"""Inputs, weights and NumPy forward pass of the pre-trained forecaster; no deep-learning framework is imported."""

__all__ = []
