"""The pre-trained forecaster's inputs, weights and NumPy forward pass; no deep-learning framework is imported here."""

__all__ = []
